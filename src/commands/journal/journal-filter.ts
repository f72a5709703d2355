import { InvalidArgumentError } from 'commander';
import { parseAge } from '../../runtime/config/units.js';
import { compileGlob } from '../../runtime/dispatch/glob.js';
import { verdictSchema } from '../../contract/verdict.js';
import type { JournaledEvent } from '../../runtime/journal/events.js';

/** Selects events of a journal. An absent field matches everything. */
export interface JournalFilter {
  /** Milliseconds since the Unix epoch. */
  readonly since?: number;
  readonly until?: number;
  /** Glob for the name of the object. */
  readonly name?: string;
  readonly handler?: string;
  readonly verdict?: string;
  /** A kind of failure, or true for any failure. */
  readonly failure?: string | true;
}

/** Compiles a filter. With a handler, a failure must be one of that handler. */
export function matcher(filter: JournalFilter): (event: JournaledEvent) => boolean {
  const { since = -Infinity, until = Infinity, name, handler, verdict, failure } = filter;
  const named = name === undefined ? () => true : compileGlob(name);
  return ({ record }) => {
    if (record.time < since || record.time > until) return false;
    if (!named(record.event.name)) return false;
    if (verdict !== undefined && record.verdict !== verdict && record.answered !== verdict) return false;
    if (handler === undefined && failure === undefined) return true;
    return record.handlers.some(
      (one) =>
        (handler === undefined || one.handler === handler) &&
        (failure === undefined || (failure === true ? one.failure !== null : one.failure === failure)),
    );
  };
}

/** Parses an age (`1h`) or a date and time (`2026-11-22T10:00`, local time unless it has a zone). */
export function momentOption(text: string): number {
  const age = parseAge(text);
  if ('value' in age) return Date.now() - age.value;
  // Date.parse reads a date without a time as UTC.
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/u.test(text) ? `${text}T00:00` : text);
  if (!/^\d{4}-/u.test(text) || Number.isNaN(time)) {
    throw new InvalidArgumentError('Expected an age such as 30m, 12h or 7d, or a time such as 2026-11-22T10:00.');
  }
  return time;
}

/** Possible verdicts. */
export const verdictWords: readonly string[] = verdictSchema.shape.verdict.options;
