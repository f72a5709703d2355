import type { HandlerRecord } from '../../contract/verdict.js';
import type { HookEvent } from '../../contract/event.js';
import { changeBetween, type Change, type ComparableAnswer } from './comparable-answer.js';
import type { NotComparable } from './seen-document.js';

/** A recorded answer and the answer now. */
export interface Comparison {
  readonly event: HookEvent;
  /** The handler that answered; null for the whole configuration. */
  readonly handler: string | null;
  /** Null when no decision was recorded, as for captured calls. */
  readonly before: ComparableAnswer | null;
  readonly after: ComparableAnswer;
  /** Whether secrets were removed from the document, so that it differs from the original. */
  readonly redacted: boolean;
}

/** The result of replaying one event: comparisons, and what could not be compared. */
export interface Replayed {
  readonly compared: readonly Comparison[];
  readonly notComparable: readonly (NotComparable & { readonly handler: string | null })[];
}

export const nothingReplayed: Replayed = { compared: [], notComparable: [] };

/** Classifies a comparison; `failed-now` and `decided-now` apply when no decision was recorded. */
export function changeOf({ before, after }: Comparison): Change | 'decided-now' | 'failed-now' {
  if (before !== null) return changeBetween(before, after);
  return after.failure === null ? 'decided-now' : 'failed-now';
}

/** Tells whether a failure is transient, so that another run may not reproduce it. */
export function isTransient({ failure }: Pick<HandlerRecord, 'failure'>): boolean {
  return failure === 'deadline' || failure === 'crashed' || failure === 'unavailable';
}
