import * as fc from 'fast-check';
import type { Plan } from './plan.js';

/** Plays a plan; returns null when nothing is wrong with it. */
export type FindFault<Fault> = (plan: Plan) => Promise<Fault | null>;

/** A plan that fails, and how. */
export interface Failure<Fault> {
  readonly plan: Plan;
  readonly fault: Fault;
}

/** Enough for plans of a hundred steps; each attempt plays a whole plan. */
const mostAttempts = 1_000;

/**
 * Generates the plan of a seed and plays it. When it fails, plays smaller plans as long as they fail alike, and returns
 * the smallest; null when it does not fail.
 */
export async function shortestFailure<Fault>(
  plans: fc.Arbitrary<Plan>,
  { seed, findFault, isAlike }: { seed: number; findFault: FindFault<Fault>; isAlike: (a: Fault, b: Fault) => boolean },
): Promise<Failure<Fault> | null> {
  const found: Failure<Fault>[] = [];
  const property = fc.asyncProperty(fc.limitShrink(plans, mostAttempts), async (plan) => {
    const fault = await findFault(plan);
    const [first] = found;
    if (fault === null || (first !== undefined && !isAlike(first.fault, fault))) return true;
    found.push({ plan, fault });
    return false;
  });
  await fc.check(property, { seed, numRuns: 1 });
  return found.at(-1) ?? null;
}
