/**
 * The axes of XPath 1.0 except `namespace`, and except `following` and `preceding`, which libxml2 implements
 * incorrectly.
 */
export const axes = [
  ...['ancestor', 'ancestor-or-self', 'attribute', 'child', 'descendant', 'descendant-or-self'],
  ...['following-sibling', 'parent', 'preceding-sibling', 'self'],
] as const;

export type Axis = (typeof axes)[number];

/**
 * The nodes of an axis that a step matches. `local` is null for any name; `prefix` is null for a name without
 * namespace.
 */
export type NodeTest =
  | { readonly test: 'name'; readonly prefix: string | null; readonly local: string | null }
  | { readonly test: 'node' | 'text' | 'comment' }
  | { readonly test: 'processing-instruction'; readonly target: string | null };

export interface Step {
  readonly axis: Axis;
  readonly test: NodeTest;
  readonly predicates: readonly Expression[];
}

export interface PathExpression {
  readonly kind: 'path';
  /** Where the path starts: at the document, at the context node, or at the nodes of an expression. */
  readonly from: 'document' | 'context' | Expression;
  /** Predicates of the expression at which it starts. */
  readonly predicates: readonly Expression[];
  readonly steps: readonly Step[];
}

export interface CallExpression {
  readonly kind: 'call';
  readonly name: FunctionName;
  readonly args: readonly Expression[];
}

export type Arithmetic = '+' | '-' | '*' | 'div' | 'mod';
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** Two operands with an operator. */
export type BinaryExpression = { readonly left: Expression; readonly right: Expression } & (
  | { readonly kind: 'arithmetic'; readonly operator: Arithmetic }
  | { readonly kind: 'comparison'; readonly operator: Comparison }
  | { readonly kind: 'and' | 'or' | 'union' }
);

/** A parsed XPath expression. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'negation'; readonly operand: Expression }
  | BinaryExpression
  | CallExpression
  | PathExpression;

export type ValueType = 'nodes' | 'number' | 'string' | 'boolean';

interface Signature {
  readonly gives: ValueType;
  readonly least: number;
  readonly most: number;
  /** Accepts only a node set, without conversion. */
  readonly nodes?: true;
}

const signature = (gives: ValueType, least: number, most = least): Signature => ({ gives, least, most });

/** The functions of XPath 1.0 except `id` and `lang`. */
export const functions = {
  boolean: signature('boolean', 1),
  ceiling: signature('number', 1),
  concat: signature('string', 2, Infinity),
  contains: signature('boolean', 2),
  count: { ...signature('number', 1), nodes: true },
  false: signature('boolean', 0),
  floor: signature('number', 1),
  last: signature('number', 0),
  'local-name': { ...signature('string', 0, 1), nodes: true },
  name: { ...signature('string', 0, 1), nodes: true },
  'namespace-uri': { ...signature('string', 0, 1), nodes: true },
  'normalize-space': signature('string', 0, 1),
  not: signature('boolean', 1),
  number: signature('number', 0, 1),
  position: signature('number', 0),
  round: signature('number', 1),
  'starts-with': signature('boolean', 2),
  string: signature('string', 0, 1),
  'string-length': signature('number', 0, 1),
  substring: signature('string', 2, 3),
  'substring-after': signature('string', 2),
  'substring-before': signature('string', 2),
  sum: { ...signature('number', 1), nodes: true },
  translate: signature('string', 3),
  true: signature('boolean', 0),
} as const satisfies Readonly<Record<string, Signature>>;

export type FunctionName = keyof typeof functions;

/** Returns the type of an expression's value. There are no variables, so it is known before evaluation. */
export function typeOf(expression: Expression): ValueType {
  switch (expression.kind) {
    case 'number':
    case 'negation':
    case 'arithmetic':
      return 'number';
    case 'literal':
      return 'string';
    case 'comparison':
    case 'and':
    case 'or':
      return 'boolean';
    case 'union':
    case 'path':
      return 'nodes';
    case 'call':
      return functions[expression.name].gives;
  }
}

/** Returns whether a predicate may depend on the position of a node: `[2]`, `[position() < 3]`, `[last()]`. */
export function isPositional(predicate: Expression): boolean {
  return typeOf(predicate) === 'number' || asksForPosition(predicate);
}

/** Nested predicates have positions of their own. */
function asksForPosition(expression: Expression): boolean {
  switch (expression.kind) {
    case 'number':
    case 'literal':
      return false;
    case 'negation':
      return asksForPosition(expression.operand);
    case 'arithmetic':
    case 'comparison':
    case 'and':
    case 'or':
    case 'union':
      return asksForPosition(expression.left) || asksForPosition(expression.right);
    case 'call':
      return expression.name === 'position' || expression.name === 'last' || expression.args.some(asksForPosition);
    case 'path':
      return typeof expression.from === 'object' && asksForPosition(expression.from);
  }
}
