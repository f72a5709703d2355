import { isMap, parseDocument } from 'yaml';
import type { Expectation } from './case-schema.js';
import type { CaseResult } from './run-cases.js';

/**
 * Returns the text of a case file with failed expectations replaced by the actual results. Comments and everything else
 * stay unchanged.
 */
export function updateCases(text: string, results: readonly CaseResult[]): string {
  const doc = parseDocument(text);
  for (const { case: one, differences, result } of results) {
    if (differences.length === 0) continue;
    const node = doc.createNode(expectationOf(one.expect, result));
    if (isMap(node)) node.flow = Object.keys(node.toJSON() as object).length < 3;
    doc.setIn(one.path, node);
  }
  return doc.toString({ lineWidth: 120, flowCollectionPadding: true });
}

/** Builds an expectation from the actual result, with the same keys as the old one. */
function expectationOf(before: Expectation, result: CaseResult['result']): unknown {
  if ('refused' in result) return { refused: result.refused };
  const written = {
    ...(result.outcome === null ? { failure: result.failure } : { outcome: result.outcome }),
    ...(result.reason !== null && { reason: result.reason }),
    ...(before.document !== undefined && result.document !== null && { document: result.document }),
    ...(before.logs !== undefined && { logs: result.logs.map(({ level, message }) => `${level}: ${message}`) }),
    ...(before.fuel !== undefined && { fuel: Math.max(before.fuel, result.fuel ?? 0) }),
  };
  return result.outcome !== null && Object.keys(written).length === 1 ? result.outcome : written;
}
