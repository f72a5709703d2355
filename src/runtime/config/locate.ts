import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Document,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Creates a function that finds the position of a configuration path in its file: that of the key or the list item.
 * When a key is missing, it is the position of the deepest existing part.
 */
export function createLocator(doc: Document, lines: LineCounter): (path: readonly PropertyKey[]) => Position {
  const indexes = new Map<YAMLMap, ReadonlyMap<PropertyKey, Pair>>();
  const pairOf = (map: YAMLMap, key: PropertyKey): Pair | undefined => {
    const index = indexes.get(map) ?? indexOf(map);
    indexes.set(map, index);
    return index.get(key);
  };
  return (path) => {
    let node: unknown = doc.contents;
    let at = 0;
    for (const segment of path) {
      if (isAlias(node)) node = node.resolve(doc);
      if (isMap(node)) {
        const pair = pairOf(node, segment);
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
  };
}

/** Indexes a mapping by key; the first pair of each key counts. */
function indexOf(map: YAMLMap): ReadonlyMap<PropertyKey, Pair> {
  const index = new Map<PropertyKey, Pair>();
  for (const pair of map.items) {
    const key = isScalar(pair.key) ? keyText(pair.key.value) : null;
    if (key !== null && !index.has(key)) index.set(key, pair);
  }
  return index;
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
export function keyText(value: unknown): string {
  return value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

function startOf(node: unknown): number | undefined {
  return isNodeWithRange(node) ? node.range?.[0] : undefined;
}

function isNodeWithRange(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && 'range' in node;
}
