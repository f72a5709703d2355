import type { HandlerRecord } from '../dispatch/verdict.js';
import type { HookEvent } from '../event.js';
import { changeBetween, type Change, type ComparableAnswer } from './comparable-answer.js';
import type { NotComparable } from './seen-document.js';

/** One answer of the past beside the one of now. */
export interface Comparison {
  readonly event: HookEvent;
  /** Whose answer it is; null for that of the whole configuration. */
  readonly handler: string | null;
  /** Null when nothing was decided then, as for captured calls. */
  readonly before: ComparableAnswer | null;
  readonly after: ComparableAnswer;
  /** Whether secrets were cut out of the document, so that it is not the one of then. */
  readonly redacted: boolean;
}

/** What came of one event: comparisons, and what could not be compared. */
export interface Replayed {
  readonly compared: readonly Comparison[];
  readonly notComparable: readonly (NotComparable & { readonly handler: string | null })[];
}

export const nothingReplayed: Replayed = { compared: [], notComparable: [] };

/** `failed-now` and `decided-now` stand where there is nothing to compare with. */
export function changeOf({ before, after }: Comparison): Change | 'decided-now' | 'failed-now' {
  if (before !== null) return changeBetween(before, after);
  return after.failure === null ? 'decided-now' : 'failed-now';
}

/** Failures of a moment: another run need not meet them. */
export function isOfItsMoment({ failure }: Pick<HandlerRecord, 'failure'>): boolean {
  return failure === 'deadline' || failure === 'crashed' || failure === 'unavailable';
}
