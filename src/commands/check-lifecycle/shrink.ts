import type { Plan, Step } from './plan.js';

/** Plays a candidate; returns null when it does not fail in the same way. */
export type Fails<Result> = (plan: Plan) => Promise<Result | null>;

/** Enough for plans of a hundred steps; each attempt costs a whole run. */
const mostTries = 400;

/**
 * Shrinks a failing plan: fewer steps, then less growth, no trouble, fewer guests. Returns the smallest plan that still
 * fails, and its failure.
 */
export async function shrink<Result>(
  plan: Plan,
  found: Result,
  fails: Fails<Result>,
): Promise<{ readonly plan: Plan; readonly found: Result; readonly tries: number }> {
  let best = { plan, found };
  let tries = 0;
  const attempt = async (candidate: Plan): Promise<boolean> => {
    if (tries >= mostTries) return false;
    tries += 1;
    const failed = await fails(candidate);
    if (failed === null) return false;
    best = { plan: candidate, found: failed };
    return true;
  };
  for (let before: Plan | null = null; before !== best.plan && tries < mostTries;) {
    before = best.plan;
    await withoutSteps(() => best.plan, attempt);
    for (const simpler of simplerSteps) {
      for (let at = 0; at < best.plan.steps.length; at++) {
        const step = best.plan.steps[at];
        const changed = step === undefined ? null : simpler(step);
        if (changed !== null) await attempt({ ...best.plan, steps: best.plan.steps.with(at, changed) });
      }
    }
    await simplerGuests(() => best.plan, attempt);
  }
  return { ...best, tries };
}

type Attempt = (candidate: Plan) => Promise<boolean>;

/** Removes halves, then quarters, down to single steps. */
async function withoutSteps(current: () => Plan, attempt: Attempt): Promise<void> {
  for (let size = Math.ceil(current().steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < current().steps.length;) {
      const { steps } = current();
      const left = [...steps.slice(0, at), ...steps.slice(at + size)];
      if (!(await attempt({ ...current(), steps: left }))) at += size;
    }
  }
}

/** Returns a simpler step; null when it is already that simple. */
const simplerSteps: readonly ((step: Step) => Step | null)[] = [
  (step) => (step.trouble === 0 ? null : { ...step, trouble: 0 }),
  (step) => (step.guest === 0 ? null : { ...step, guest: 0 }),
  (step) => (step.seed === 0 ? null : { ...step, seed: 0 }),
];

async function simplerGuests(current: () => Plan, attempt: Attempt): Promise<void> {
  for (let at = 0; at < current().guests.length; at++) {
    const change = async (fields: Partial<Plan['guests'][number]>): Promise<boolean> => {
      const guest = current().guests[at];
      if (guest === undefined) return false;
      return attempt({ ...current(), guests: current().guests.with(at, { ...guest, ...fields }) });
    };
    const guest = current().guests[at];
    if (guest === undefined) return;
    if (guest.interfaces > 0) await change({ interfaces: 0 });
    if (guest.name !== 'web-1') await change({ name: 'web-1' });
    if (guest.driver !== 'qemu') await change({ driver: 'qemu' });
    if (guest.growths.length > 0 && (await change({ growths: [] }))) continue;
    for (let which = 0; which < (current().guests[at]?.growths.length ?? 0);) {
      const growths = current().guests[at]?.growths ?? [];
      if (!(await change({ growths: growths.toSpliced(which, 1) }))) which += 1;
    }
  }
}
