import { isMap, isPair, isScalar, parseDocument, stringify } from 'yaml';
import type { CaseResult } from './run-cases.js';

/** A part of a text, by offsets, and what takes its place. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

type Path = readonly (string | number)[];

/**
 * Returns the text of a case file with failed expectations replaced by the actual results. Everything else keeps every
 * byte: comments, quotes, line breaks.
 */
export function updateCases(text: string, results: readonly CaseResult[]): string {
  const doc = parseDocument(text);
  const failed = results.filter(({ differences }) => differences.length > 0);
  const edits = failed.flatMap((one) => {
    const { path } = one.case;
    const parent = doc.getIn(path.slice(0, -1), true);
    const wholly = one.differences.some(({ what }) => what === 'outcome' || what === 'loading');
    if (wholly) return editOf(text, parent, path.slice(-1), expectationOf(one));
    return one.differences.flatMap(({ what }) => editOf(text, doc.getIn(path, true), [what], actualOf(what, one)));
  });
  return applied(text, edits);
}

/** Returns the edit that gives one key of a mapping another value. */
function editOf(text: string, parent: unknown, [key]: Path, value: unknown): Edit[] {
  if (!isMap(parent)) return [];
  const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
  const [start, end] = rangeOf(pair?.value);
  const afterKey = text.indexOf(':', rangeOf(pair?.key)[1]) + 1;
  // A block that begins on the next line moves up to its key, unless a comment stands between them.
  const begin = text.slice(afterKey, start).trim() === '' ? afterKey : start;
  const written = text.slice(start, end).trimEnd();
  const space = begin === afterKey ? ' ' : '';
  if (typeof value === 'string' && /\S\n./u.test(value) && parent.flow !== true) {
    const lineEnd = endOfLine(text, start + written.length);
    const comment = text.slice(start + written.length, lineEnd).trimEnd();
    return [{ start: begin, end: lineEnd, text: space + literal(value, comment, columnOf(text, parent)) }];
  }
  return [{ start: begin, end: start + written.length, text: space + inline(value) }];
}

/** Formats a text as a literal block, with a comment after its indicator. */
function literal(value: string, comment: string, column: number): string {
  const [header = '', ...lines] = stringify({ text: value }, { blockQuote: 'literal', lineWidth: 0 })
    .slice('text: '.length)
    .trimEnd()
    .split('\n');
  return [header + comment, ...lines.map((line) => (line === '' ? '' : ' '.repeat(column) + line))].join('\n');
}

/** Formats a value on one line. In a list, because a text that is plain elsewhere needs quotes between brackets. */
function inline(value: unknown): string {
  return stringify([value], { collectionStyle: 'flow', flowCollectionPadding: true, lineWidth: 0 }).trim().slice(2, -2);
}

function columnOf(text: string, node: unknown): number {
  const [start] = rangeOf(node);
  return start - (text.lastIndexOf('\n', start - 1) + 1);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function rangeOf(node: unknown): readonly [number, number] {
  if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
    const [start, end] = node.range as readonly number[];
    if (start !== undefined && end !== undefined) return [start, end];
  }
  throw new TypeError('a parsed node has a range');
}

function applied(text: string, edits: readonly Edit[]): string {
  const fromTheEnd = edits.toSorted((a, b) => b.start - a.start);
  return fromTheEnd.reduce((all, edit) => all.slice(0, edit.start) + edit.text + all.slice(edit.end), text);
}

/** Builds an expectation from the actual result, with the keys of the old one. */
function expectationOf({ case: { expect: before }, result }: CaseResult): unknown {
  if ('refused' in result) return { refused: result.refused };
  const written = {
    ...(result.outcome === null ? { failure: result.failure } : { outcome: result.outcome }),
    ...(result.reason !== null && { reason: result.reason }),
    ...(before.document !== undefined && result.document !== null && { document: result.document }),
    ...(before.logs !== undefined && { logs: logsOf(result.logs) }),
    ...(before.fuel !== undefined && { fuel: Math.max(before.fuel, result.fuel ?? 0) }),
  };
  return result.outcome !== null && Object.keys(written).length === 1 ? result.outcome : written;
}

/** Returns the actual value of one key of an expectation. */
function actualOf(what: string, { result }: CaseResult): unknown {
  if ('refused' in result) return result.refused;
  const { reason, document, logs, fuel } = result;
  const values = new Map<string, unknown>(Object.entries({ reason, document, logs: logsOf(logs), fuel }));
  return values.get(what);
}

function logsOf(logs: readonly { readonly level: string; readonly message: string }[]): string[] {
  return logs.map(({ level, message }) => `${level}: ${message}`);
}
