/** What the cost of an expression depends on besides its text. */
export interface DocumentSize {
  readonly bytes: number;
  /** Elements and attributes, roughly. */
  readonly nodes: number;
}

/** Sizes a document without parsing it: what begins with `<` or holds a `=` is at most one node each. */
export function sizeOf(document: Buffer): DocumentSize {
  let nodes = 1;
  for (const byte of document) if (byte === 0x3c || byte === 0x3d) nodes += 1;
  return { bytes: document.length, nodes };
}

/** Axes that may visit the whole document from each node, brackets, separators, and paths that begin at the root. */
const tokens = /\/\/|descendant|ancestor|following|preceding|[[\]()|,]|(?<=^|[[(,=<>|+\s-])\//gu;

interface Frame {
  scans: number;
  cost: number;
  fromRoot: boolean;
}

const frame = (): Frame => ({ scans: 0, cost: 0, fromRoot: false });

/**
 * Most nodes that evaluating an XPath expression may visit, from its shape alone. libxml2 offers no limit of its own, and
 * an expression of 30 characters can keep it busy for years: `//*[//*[//*]]` visits each node for each node for each node.
 * Two scans in one path cost a factor more, for libxml2 looks for doubles by comparing each with each.
 */
export function costOfXPath(xpath: string, { bytes, nodes }: DocumentSize): number {
  const path = ({ scans }: Frame): number => (scans < 2 ? nodes ** scans : nodes ** (scans + 1) / 10);
  const text = xpath.replace(/'[^']*'|"[^"]*"/gu, "''");
  const open: Frame[] = [];
  let current = frame();
  for (const [token] of text.matchAll(tokens)) {
    if (token === '[' || token === '(') {
      open.push(current);
      current = frame();
    } else if (token === ']' || token === ')') {
      const inner = current;
      current = open.pop() ?? frame();
      const strings = inner.fromRoot ? 1 + bytes / 1_024 : 1;
      const once = (inner.cost + path(inner)) * strings;
      // A predicate is evaluated for each node; what stands in parentheses once, but its nodes go on along the path.
      if (token === ']') current.cost += once * nodes ** Math.max(1, current.scans);
      else current = { ...current, cost: current.cost + once, scans: current.scans + inner.scans };
    } else if (token === '|' || token === ',') {
      current.cost += path(current) + (token === '|' ? nodes ** 2 / 10 : 0);
      current.scans = 0;
    } else if (token === '/') {
      current.fromRoot = true;
    } else {
      current.scans += 1;
    }
  }
  const all = [...open, current].reduce((sum, one) => sum + one.cost + path(one), 0);
  return Math.min(Math.ceil(all), Number.MAX_SAFE_INTEGER);
}
