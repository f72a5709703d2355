import { inOrder } from '../replay/in-order.js';
import { planOf, type Plan } from './plan.js';
import { play, type Played, type Subject } from './play.js';
import { seedOf } from './random.js';
import { shrink } from './shrink.js';
import type { Violation } from './violation.js';

export interface CheckOptions {
  readonly subject: Subject;
  readonly seed: number;
  /** Number of sequences. */
  readonly runs: number;
  /** Number of sequences in flight. */
  readonly concurrency: number;
  readonly onProgress?: (runs: number) => void;
}

/** The shortest sequence found in which a plug-in misbehaves. */
export interface FailingSequence {
  /** Index of the run, from 0. */
  readonly run: number;
  readonly plan: Plan;
  readonly played: Played;
  readonly violation: Violation;
  /** Number of calls before shrinking. */
  readonly found: number;
}

/** The result of all sequences, or of those up to the first failure. */
export interface CheckResult {
  readonly seed: number;
  readonly runs: number;
  readonly calls: number;
  readonly asked: number;
  readonly mostFuel: number;
  readonly failing: FailingSequence | null;
}

/** Actions per sequence; about half of them are possible in their state. */
const steps = 30;
const guests = 3;

/** Plays generated guest and network life cycles with a plug-in until it misbehaves. */
export async function checkLifecycle(options: CheckOptions): Promise<CheckResult> {
  const { subject, seed, runs, concurrency, onProgress = () => undefined } = options;
  const totals = { runs: 0, calls: 0, asked: 0, mostFuel: 0 };
  const playRun = async (run: number): Promise<{ run: number; plan: Plan; played: Played }> => {
    const plan = planOf(seedOf(seed, run), { steps, guests });
    return { run, plan, played: await play(plan, subject) };
  };
  for await (const { run, plan, played } of inOrder(numbersBelow(runs), concurrency, playRun)) {
    totals.runs += 1;
    totals.calls += played.calls.length;
    totals.asked += played.asked;
    totals.mostFuel = Math.max(totals.mostFuel, played.mostFuel);
    onProgress(totals.runs);
    const { violation } = played;
    if (violation !== null) {
      return { seed, ...totals, failing: await shortest({ run, plan, played, violation }, subject) };
    }
  }
  return { seed, ...totals, failing: null };
}

async function shortest(first: Omit<FailingSequence, 'found'>, subject: Subject): Promise<FailingSequence> {
  const { run, plan, played, violation } = first;
  const small = await shrink(plan, { played, violation }, async (candidate) => {
    const again = await play(candidate, subject);
    return again.violation?.kind === violation.kind ? { played: again, violation: again.violation } : null;
  });
  return { run, plan: small.plan, ...small.found, found: played.calls.length };
}

async function* numbersBelow(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number++) yield await Promise.resolve(number);
}
