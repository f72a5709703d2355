import { isNode, isScalar, visit, type Document, type LineCounter } from 'yaml';
import { bounds } from '../limits.js';
import { oneLine } from '../text.js';
import type { ConfigProblem } from './config-error.js';
import { keyText, positionAt } from './locate.js';

/**
 * Keys that stand twice in one mapping, each at its second place and after; `1` and `"1"` are the same key. And keys that
 * are no words, which could only become text, at a cost that grows with the square of their depth.
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
        if (seen.has(text)) repeated.push({ ...at(key), message: 'this key is given twice; keep one of the two' });
        seen.add(text);
      }
    },
  });
  return { repeated, unusable };
}

/** Aliases that lead nowhere, into themselves, or are too many. */
export function aliasProblems(doc: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  let seen = 0;
  visit(doc, {
    Alias(_, alias, ancestors) {
      const at = { path: '', ...positionAt(lines, alias.range?.[0] ?? 0) };
      seen++;
      if (seen > bounds.yamlAliases) {
        problems.push({ ...at, message: `more than ${bounds.yamlAliases} aliases are used; write the values out` });
        return visit.BREAK;
      }
      const target = alias.resolve(doc);
      const name = oneLine(alias.source, 40);
      if (target === undefined) {
        problems.push({ ...at, message: `no anchor '&${name}' stands before the alias '*${name}'; define it first` });
      } else if (ancestors.includes(target)) {
        problems.push({ ...at, message: `the alias '*${name}' stands inside its own anchor; write the value out` });
      }
      return undefined;
    },
  });
  return problems;
}
