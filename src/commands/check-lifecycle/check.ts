import { inOrder } from '../replay/in-order.js';
import { type Plan, plansOf } from './plan.js';
import { play, type Played, type Subject } from './play.js';
import { seedOf } from './random.js';
import { shortestFailure } from './shortest-failure.js';
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

/** Actions per sequence, on average; about half of them are possible in their state. */
const steps = 30;
const guests = 3;
const plans = plansOf({ steps, guests });

/** Plays generated guest and network life cycles with a plug-in until it misbehaves. */
export async function checkLifecycle(options: CheckOptions): Promise<CheckResult> {
  const { subject, seed, runs, concurrency, onProgress = () => undefined } = options;
  const totals = { runs: 0, calls: 0, asked: 0, mostFuel: 0 };
  const playRun = (run: number): Promise<Run> => playSequence(run, seedOf(seed, run), subject);
  for await (const { calls, asked, mostFuel, failing } of inOrder(numbersBelow(runs), concurrency, playRun)) {
    totals.runs += 1;
    totals.calls += calls;
    totals.asked += asked;
    totals.mostFuel = Math.max(totals.mostFuel, mostFuel);
    onProgress(totals.runs);
    if (failing !== null) return { seed, ...totals, failing };
  }
  return { seed, ...totals, failing: null };
}

interface Run {
  /** Of the sequence as generated. */
  readonly calls: number;
  readonly asked: number;
  readonly mostFuel: number;
  readonly failing: FailingSequence | null;
}

async function playSequence(run: number, seed: number, subject: Subject): Promise<Run> {
  const generated: Omit<Run, 'failing'>[] = [];
  const failure = await shortestFailure(plans, {
    seed,
    findFault: async (plan) => {
      const played = await play(plan, subject);
      const { calls, asked, mostFuel, violation } = played;
      if (generated.length === 0) generated.push({ calls: calls.length, asked, mostFuel });
      return violation === null ? null : { played, violation };
    },
    isAlike: (a, b) => a.violation.kind === b.violation.kind,
  });
  const [counts = { calls: 0, asked: 0, mostFuel: 0 }] = generated;
  if (failure === null) return { ...counts, failing: null };
  return { ...counts, failing: { run, plan: failure.plan, ...failure.fault, found: counts.calls } };
}

async function* numbersBelow(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number++) yield await Promise.resolve(number);
}
