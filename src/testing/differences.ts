import type { HandledEvent } from './plugin.js';
import type { Expectation } from './case-schema.js';
import { matches, type Pattern } from './pattern.js';

/** One difference between a result and the expectation. */
export interface Difference {
  /** The field that differs, such as `outcome` or `reason`. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

/** A result, or the message with which the plug-in was refused at load time. */
export type Result = HandledEvent | { readonly refused: string };

/** Returns every difference between a result and its expectation; none when the case passes. */
export function differences(expected: Expectation, result: Result): Difference[] {
  if ('refused' in result) {
    if (expected.refused !== undefined) return textDifference('refused', expected.refused, result.refused);
    const wanted = expected.outcome ?? `failure ${expected.failure ?? ''}`;
    return [{ what: 'loading', expected: wanted, actual: `refused: ${result.refused}` }];
  }
  const { outcome, failure, refused, reason, document, logs, fuel } = expected;
  const found: Difference[] = [];
  const wanted = outcome ?? (failure !== undefined ? `failure ${failure}` : `refused ${shown(refused ?? '')}`);
  const actual = result.outcome ?? `failure ${result.failure ?? ''}`;
  if (wanted !== actual) found.push({ what: 'outcome', expected: wanted, actual: withReason(actual, result, reason) });
  if (reason !== undefined) found.push(...textDifference('reason', reason, result.reason));
  if (document !== undefined) found.push(...textDifference('document', document, result.document));
  if (logs !== undefined) found.push(...logDifference(logs, result));
  if (fuel !== undefined && result.fuel !== null && result.fuel > fuel) {
    found.push({ what: 'fuel', expected: `at most ${fuel}`, actual: String(result.fuel) });
  }
  return found;
}

/** Describes the actual outcome with its reason, which explains an unexpected outcome. */
function withReason(actual: string, result: HandledEvent, expectedReason: Pattern | undefined): string {
  return expectedReason === undefined && result.reason !== null ? `${actual}: ${result.reason}` : actual;
}

function textDifference(what: string, expected: Pattern, actual: string | null): Difference[] {
  if (actual !== null && matches(expected, actual)) return [];
  return [{ what, expected: shown(expected), actual: actual ?? 'none' }];
}

function logDifference(expected: readonly Pattern[], { logs }: HandledEvent): Difference[] {
  const lines = logs.map(({ level, message }) => `${level}: ${message}`);
  const same = lines.length === expected.length && expected.every((pattern, at) => matches(pattern, lines[at] ?? ''));
  if (same) return [];
  return [{ what: 'logs', expected: listed(expected.map(shown)), actual: listed(lines) }];
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? 'none' : lines.join('\n');
}

function shown(pattern: Pattern): string {
  return String(pattern);
}
