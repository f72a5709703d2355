import { createHash } from 'node:crypto';
import type { Consultation } from '../../runtime/dispatch/consult.js';
import type { HandlerRecord } from '../../contract/verdict.js';
import type { LogLine } from '../../contract/outcome.js';
import { oneLine } from '../../contract/text.js';

/** The answer to one event, recorded or new, of a handler or of a whole configuration. */
export interface ComparableAnswer {
  /** Null when it could not decide; then `failure` has the kind. */
  readonly outcome: 'allow' | 'deny' | 'replace' | null;
  readonly reason: string | null;
  readonly failure: HandlerRecord['failure'];
  /** Null where fuel is not counted. */
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];
  /** sha256 of the document of `replace`; null when there is none or it is unknown. */
  readonly document: string | null;
}

export function answerInRecord(record: HandlerRecord, document: string | null): ComparableAnswer {
  const { outcome, reason, failure, fuel, logs } = record;
  // An older version, or one with older Unicode data, may have recorded characters that are escaped now.
  return { outcome, reason: reason === null ? null : oneLine(reason, Infinity), failure, fuel, logs, document };
}

export function answerOf({ outcome, record }: Consultation): ComparableAnswer {
  return answerInRecord(record, outcome?.outcome === 'replace' ? sha256(outcome.document) : null);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * - `same`: the same outcome for the same reason;
 * - `reworded`: the same outcome with another reason or another failure;
 * - `flip`: another outcome or another document;
 * - `new-failure`: it failed and did not fail before.
 */
export type Change = 'same' | 'reworded' | 'flip' | 'new-failure';

/** Classifies the change between two answers. Fuel and logs do not count: see {@link differingFields}. */
export function changeBetween(before: ComparableAnswer, after: ComparableAnswer): Change {
  if (after.failure !== null && before.failure === null) return 'new-failure';
  if (before.outcome !== after.outcome) return 'flip';
  if (before.document !== null && after.document !== null && before.document !== after.document) return 'flip';
  return before.reason === after.reason && before.failure === after.failure ? 'same' : 'reworded';
}

/** Returns the fields in which two answers differ; documents count only where both are known. */
export function differingFields(before: ComparableAnswer, after: ComparableAnswer): string[] {
  const points: readonly (keyof ComparableAnswer)[] = ['outcome', 'reason', 'failure', 'fuel', 'logs'];
  const differing: string[] = points.filter((point) => JSON.stringify(before[point]) !== JSON.stringify(after[point]));
  const known = before.document !== null && after.document !== null;
  return known && before.document !== after.document ? [...differing, 'document'] : differing;
}
