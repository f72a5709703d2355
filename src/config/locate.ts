import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the position of a configuration path in its file: that of the key or the list item. When a key is missing, it
 * is the position of the deepest existing part.
 */
export function locate(doc: Document, lines: LineCounter, path: readonly PropertyKey[]): Position {
  let node: unknown = doc.contents;
  let at = 0;
  for (const segment of path) {
    if (isAlias(node)) node = node.resolve(doc);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && keyText(key.value) === segment);
      if (pair === undefined) break;
      at = startOf(pair.key) ?? at;
      node = pair.value;
    } else if (isSeq(node) && typeof segment === 'number') {
      const item: unknown = node.items[segment];
      at = startOf(item) ?? at;
      node = item;
    } else break;
  }
  return positionAt(lines, at);
}

export function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  // An empty file has no lines.
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Formats a path such as `routes[0].match.kind`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((segment, at) => (typeof segment === 'number' ? `[${segment}]` : `${at === 0 ? '' : '.'}${String(segment)}`))
    .join('');
}

/** Converts a key like `toJS` of yaml does: numbers and null become text. */
function keyText(value: unknown): string {
  return value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

function startOf(node: unknown): number | undefined {
  return isNodeWithRange(node) ? node.range?.[0] : undefined;
}

function isNodeWithRange(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && 'range' in node;
}
