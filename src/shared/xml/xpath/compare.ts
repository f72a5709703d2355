import type { Walk } from './axes.js';
import type { Comparison } from './expression.js';
import { payForChars, payForString, stringValue } from './strings.js';
import { isNodeSet, textToNumber, toBoolean, toNumber } from './values.js';
import type { NodeSet, Value } from './values.js';

/** Evaluates `=`, `!=`, `<` and the other comparisons (XPath 1.0, 3.4). Reads each node of two node sets once. */
export function compare(walk: Walk, operator: Comparison, left: Value, right: Value): boolean {
  if (typeof left === 'boolean' || typeof right === 'boolean') {
    if (isEquality(operator)) return (toBoolean(left) === toBoolean(right)) === (operator === '=');
    // A node set is converted to a boolean before it is compared with one.
    const [a, b] = [left, right].map((value) => toNumber(walk, isNodeSet(value) ? toBoolean(value) : value));
    return ordered(operator, a ?? NaN, b ?? NaN);
  }
  if (isNodeSet(left)) {
    if (isNodeSet(right)) return compareSets(walk, operator, left, right);
    return left.some((node) => compareAtoms(walk, operator, stringValue(walk, node), right));
  }
  if (isNodeSet(right)) return right.some((node) => compareAtoms(walk, operator, left, stringValue(walk, node)));
  return compareAtoms(walk, operator, left, right);
}

const isEquality = (operator: Comparison): operator is '=' | '!=' => operator === '=' || operator === '!=';

type Atom = number | string;

function compareAtoms(walk: Walk, operator: Comparison, left: Atom, right: Atom): boolean {
  if (isEquality(operator) && typeof left === 'string' && typeof right === 'string') {
    payForChars(walk, Math.min(left.length, right.length));
    return (left === right) === (operator === '=');
  }
  const [a, b] = [toNumber(walk, left), toNumber(walk, right)];
  return isEquality(operator) ? (a === b) === (operator === '=') : ordered(operator, a, b);
}

function ordered(operator: Exclude<Comparison, '=' | '!='>, left: number, right: number): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function compareSets(walk: Walk, operator: Comparison, left: NodeSet, right: NodeSet): boolean {
  if (left.length === 0 || right.length === 0) return false;
  if (isEquality(operator)) {
    const [a, b] = [distinct(walk, left), distinct(walk, right)];
    // Two sets contain different texts unless both contain only one and the same text.
    if (operator === '!=') return a.size > 1 || b.size > 1 || [...a][0] !== [...b][0];
    return [...a].some((text) => b.has(text));
  }
  const [a, b] = [extremes(walk, left), extremes(walk, right)];
  return operator.startsWith('<') ? ordered(operator, a.least, b.most) : ordered(operator, a.most, b.least);
}

function distinct(walk: Walk, nodes: NodeSet): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const node of nodes) {
    const text = stringValue(walk, node);
    // Once for storing it in the set, once for looking it up.
    payForString(walk, 4 * text.length);
    walk.budget.spend(30);
    texts.add(text);
  }
  return texts;
}

/** Returns NaN for an empty set: NaN is neither less nor greater than anything. */
function extremes(walk: Walk, nodes: NodeSet): { readonly least: number; readonly most: number } {
  let [least, most] = [NaN, NaN];
  for (const node of nodes) {
    const number = textToNumber(walk, stringValue(walk, node));
    if (!(number >= least)) least = Number.isNaN(number) ? least : number;
    if (!(number <= most)) most = Number.isNaN(number) ? most : number;
  }
  return { least, most };
}
