import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work goes on before events get their turn, milliseconds: an event takes about ten turns. */
const sliceMs = 2;

/** Work that can be interrupted wherever it yields. */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Does the work without a pause. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Does the work in slices of a few milliseconds, so that hook calls are answered in between, however much of it there is. */
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
