import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Length of a slice of work, milliseconds. An event needs about ten turns of the event loop. */
const sliceMs = 2;

/** Work that can be interrupted wherever it yields. */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Runs the work without interruption. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Runs the work in slices of a few milliseconds, so that hook calls are answered in between. */
export async function inSlices<Result>(work: Work<Result>): Promise<Result> {
  let ends = performance.now() + sliceMs;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < ends) continue;
    await nextTurn();
    ends = performance.now() + sliceMs;
  }
}
