import { isNode, isScalar, visit, type Document, type LineCounter } from 'yaml';
import { bounds } from '../../contract/limits.js';
import { oneLine } from '../../contract/text.js';
import type { ConfigProblem } from './config-error.js';
import { keyText, positionAt } from './locate.js';

/**
 * Reports duplicate keys of a mapping, at every position after the first; `1` and `"1"` are the same key. Also reports
 * keys that are not scalars: converting them to text costs time that grows with the square of their depth.
 */
export function keyProblems(
  doc: Document,
  lines: LineCounter,
): { repeated: ConfigProblem[]; unusable: ConfigProblem[] } {
  const repeated: ConfigProblem[] = [];
  const unusable: ConfigProblem[] = [];
  const at = (node: unknown) => ({ path: '', ...positionAt(lines, isNode(node) ? (node.range?.[0] ?? 0) : 0) });
  visit(doc, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key) && key !== null) {
          unusable.push({ ...at(key), message: 'this key is not a word; write a name' });
          continue;
        }
        const text = keyText(key === null ? null : key.value);
        if (seen.has(text)) repeated.push({ ...at(key), message: 'this key appears twice; remove one of them' });
        seen.add(text);
      }
    },
  });
  return { repeated, unusable };
}

/** Reports aliases that are undefined, recursive, or too many. */
export function aliasProblems(doc: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  let seen = 0;
  visit(doc, {
    Alias(_, alias, ancestors) {
      const at = { path: '', ...positionAt(lines, alias.range?.[0] ?? 0) };
      seen++;
      if (seen > bounds.yamlAliases) {
        problems.push({ ...at, message: `more than ${bounds.yamlAliases} aliases are used; write the values instead` });
        return visit.BREAK;
      }
      const target = alias.resolve(doc);
      const name = oneLine(alias.source, 40);
      if (target === undefined) {
        problems.push({
          ...at,
          message: `the alias '*${name}' has no anchor '&${name}' before it; define the anchor first`,
        });
      } else if (ancestors.includes(target)) {
        problems.push({ ...at, message: `the alias '*${name}' is inside its own anchor; write the value instead` });
      }
      return undefined;
    },
  });
  return problems;
}
