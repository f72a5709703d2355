import { axes, functions, isPositional, typeOf } from './expression.js';
import type {
  Axis,
  BinaryExpression,
  CallExpression,
  Expression,
  NodeTest,
  PathExpression,
  Step,
} from './expression.js';
import { XPathRefusal } from './refusal.js';
import { tokensOf } from './tokens.js';
import type { Token } from './tokens.js';

/** Maximum length and depth of an expression: the evaluation is recursive. */
export const mostChars = 1_024;
const mostDepth = 64;

const nodeTypes = ['node', 'text', 'comment', 'processing-instruction'] as const;
const anyNode: NodeTest = { test: 'node' };
const anywhere: Step = { axis: 'descendant-or-self', test: anyNode, predicates: [] };

/** Operators by precedence, lowest first. */
const levels = [['or'], ['and'], ['=', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', 'div', 'mod']];

/** Messages for unsupported features, by the word that requests each. */
const instead: ReadonlyMap<string, string> = new Map([
  ['namespace', `the axis 'namespace' is not supported; compare namespace-uri() of elements instead`],
  ['following', `the axis 'following' is not supported; use following-sibling, or a path from the root`],
  ['preceding', `the axis 'preceding' is not supported; use preceding-sibling, or a path from the root`],
  ['id', `the function 'id' is not supported; write a path such as //*[@id="…"] instead`],
  ['lang', `the function 'lang' is not supported; compare @xml:lang instead`],
]);

/** Parses an expression of the subset of XPath 1.0 in docs/xpath.md. Throws XPathRefusal. */
export function parseExpression(text: string): Expression {
  if (text.length > mostChars)
    throw new XPathRefusal(`it is longer than ${mostChars} characters; use several expressions`);
  const parser = new Parser(tokensOf(text));
  return parser.whole();
}

class Parser {
  #at = 0;
  #depth = 0;
  readonly #tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#binary(0);
    const { kind, text, at } = this.#peek();
    if (kind !== 'end') throw new XPathRefusal(`'${text}' at character ${at + 1} is unexpected`);
    return expression;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? { kind: 'end', text: 'its end', at: 0 };
  }

  #isOperator(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.kind === 'operator' && token.text === text;
  }

  #takes(text: string): boolean {
    const found = this.#isOperator(text);
    if (found) this.#at += 1;
    return found;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#unexpected(`'${text}'`);
  }

  #unexpected(wanted: string): XPathRefusal {
    const { kind, text, at } = this.#peek();
    const found = kind === 'end' ? 'the end' : `'${text}'`;
    return new XPathRefusal(`expected ${wanted} at character ${at + 1}, found ${found}`);
  }

  #nested<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > mostDepth)
      throw new XPathRefusal(`it is nested deeper than ${mostDepth} levels; use several expressions`);
    const parsed = parse();
    this.#depth -= 1;
    return parsed;
  }

  #binary(level: number): Expression {
    const operators = levels[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind !== 'operator' || !operators.includes(text)) return left;
      this.#at += 1;
      left = joined(text, left, this.#binary(level + 1));
    }
  }

  #unary(): Expression {
    let signs = 0;
    while (this.#takes('-')) signs += 1;
    const operand = this.#union();
    if (signs === 0) return operand;
    const negation: Expression = { kind: 'negation', operand };
    return signs % 2 === 1 ? negation : { kind: 'negation', operand: negation };
  }

  #union(): Expression {
    let left = this.#path();
    while (this.#takes('|')) {
      const right = this.#path();
      requireNodes(left, `before '|'`);
      requireNodes(right, `after '|'`);
      left = { kind: 'union', left, right };
    }
    return left;
  }

  #path(): Expression {
    const { kind, text } = this.#peek();
    if (this.#takes('//')) return path('document', [], this.#steps([anywhere]));
    if (this.#takes('/')) return path('document', [], this.#startsStep() ? this.#steps([]) : []);
    const calls = kind === 'name' && this.#isOperator('(', 1) && !nodeTypes.some((one) => one === text);
    if (kind !== 'number' && kind !== 'literal' && text !== '(' && text !== '$' && !calls) {
      return path('context', [], this.#steps([]));
    }
    const primary = this.#primary();
    const predicates = this.#predicates();
    if (predicates.length > 0) requireNodes(primary, `before '['`);
    if (!this.#isOperator('/') && !this.#isOperator('//')) {
      return predicates.length === 0 ? primary : path(primary, predicates, []);
    }
    requireNodes(primary, `before '/'`);
    const first = this.#takes('//') ? [anywhere] : [];
    if (first.length === 0) this.#expect('/');
    return path(primary, predicates, this.#steps(first));
  }

  #primary(): Expression {
    const { kind, text, at } = this.#peek();
    if (text === '$' && kind === 'operator') {
      throw new XPathRefusal(
        `the variable at character ${at + 1} is unknown: variables are not supported; write its value instead`,
      );
    }
    this.#at += 1;
    if (kind === 'number') return { kind: 'number', value: Number(text) };
    if (kind === 'literal') return { kind: 'literal', value: text.slice(1, -1) };
    if (kind === 'name') return this.#call(text);
    const inner = this.#nested(() => this.#binary(0));
    this.#expect(')');
    return inner;
  }

  #call(name: string): CallExpression {
    if (!isFunction(name)) {
      throw new XPathRefusal(instead.get(name) ?? `there is no function '${name}'; docs/xpath.md lists what there is`);
    }
    const args: Expression[] = [];
    this.#expect('(');
    this.#nested(() => {
      if (this.#isOperator(')')) return;
      do args.push(this.#binary(0));
      while (this.#takes(','));
    });
    this.#expect(')');
    const { least, most, ...rest } = functions[name];
    if (args.length < least || args.length > most) {
      const range = least === most ? `${least}` : `${least} ${most === Infinity ? 'or more' : `to ${most}`}`;
      throw new XPathRefusal(`the function '${name}' takes ${range} arguments, not ${args.length}`);
    }
    if ('nodes' in rest) for (const arg of args) requireNodes(arg, `as the argument of '${name}'`);
    return { kind: 'call', name, args };
  }

  #startsStep(): boolean {
    const { kind, text } = this.#peek();
    return kind === 'name' || (kind === 'operator' && ['.', '..', '@'].includes(text));
  }

  #steps(first: readonly Step[]): readonly Step[] {
    const steps = [...first, this.#step()];
    for (;;) {
      if (this.#takes('//')) steps.push(anywhere);
      else if (!this.#takes('/')) return steps;
      steps.push(this.#step());
    }
  }

  #step(): Step {
    if (this.#takes('.')) return { axis: 'self', test: anyNode, predicates: [] };
    if (this.#takes('..')) return { axis: 'parent', test: anyNode, predicates: [] };
    const axis = this.#axis();
    return { axis, test: this.#test(), predicates: this.#predicates() };
  }

  #axis(): Axis {
    if (this.#takes('@')) return 'attribute';
    if (!this.#isOperator('::', 1)) return 'child';
    const { text } = this.#peek();
    this.#at += 2;
    const axis = axes.find((one) => one === text);
    if (axis === undefined)
      throw new XPathRefusal(instead.get(text) ?? `there is no axis '${text}'; docs/xpath.md lists what there is`);
    return axis;
  }

  #test(): NodeTest {
    const { kind, text } = this.#peek();
    if (kind !== 'name') throw this.#unexpected('a step of a path');
    this.#at += 1;
    const type = nodeTypes.find((one) => one === text);
    if (type === undefined || !this.#takes('(')) return nameTest(text);
    if (type !== 'processing-instruction') {
      this.#expect(')');
      return { test: type };
    }
    const argument = this.#peek();
    if (argument.kind === 'literal') this.#at += 1;
    this.#expect(')');
    return { test: type, target: argument.kind === 'literal' ? argument.text.slice(1, -1) : null };
  }

  #predicates(): readonly Expression[] {
    const predicates: Expression[] = [];
    while (this.#takes('[')) {
      predicates.push(this.#nested(() => this.#binary(0)));
      this.#expect(']');
    }
    return predicates;
  }
}

function isFunction(name: string): name is CallExpression['name'] {
  return Object.hasOwn(functions, name);
}

function nameTest(text: string): NodeTest {
  const [first = '', second] = text.split(':');
  const [prefix, local] = second === undefined ? [null, first] : [first, second];
  return { test: 'name', prefix, local: local === '*' ? null : local };
}

function joined(operator: string, left: Expression, right: Expression): BinaryExpression {
  switch (operator) {
    case 'or':
    case 'and':
      return { kind: operator, left, right };
    case '+':
    case '-':
    case '*':
    case 'div':
    case 'mod':
      return { kind: 'arithmetic', operator, left, right };
    default:
      return { kind: 'comparison', operator: operator as '=', left, right };
  }
}

function requireNodes(expression: Expression, where: string): void {
  const type = typeOf(expression);
  if (type !== 'nodes') throw new XPathRefusal(`expected a path ${where}, found a ${type}`);
}

/**
 * Builds a path in which `//name` visits each node once instead of as a parent and again as a child, unless a predicate
 * depends on the position.
 */
function path(from: PathExpression['from'], predicates: readonly Expression[], all: readonly Step[]): PathExpression {
  const steps: Step[] = [];
  for (const step of all) {
    const joins = steps.at(-1) === anywhere && step.axis === 'child' && !step.predicates.some(isPositional);
    if (joins) steps.pop();
    steps.push(joins ? { ...step, axis: 'descendant' } : step);
  }
  return { kind: 'path', from, predicates, steps };
}
