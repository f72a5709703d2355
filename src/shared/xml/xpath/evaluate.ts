import { visitAxis } from './axes.js';
import type { Walk } from './axes.js';
import { callFunction } from './call-function.js';
import type { Focus } from './call-function.js';
import { compare } from './compare.js';
import type { Arithmetic, Expression, NodeTest, PathExpression, Step } from './expression.js';
import { XPathRefusal } from './refusal.js';
import { nodeKinds } from './tree.js';
import { isNodeSet, toBoolean, toNumber } from './values.js';
import type { NodeSet, Value } from './values.js';

/** Steps for each evaluation of a part of an expression. */
const partSteps = 6;
/** Steps for each node at which a location step starts. */
const contextSteps = 16;
/** Steps for each node that matches. */
const takeSteps = 2;
/** Memory for each of the two, although V8 frees most of it before the end. */
const partBytes = 48;
const contextBytes = 192;
/** Memory for each node found: its entry in three lists, which are at worst half empty. */
const nodeBytes = 48;

/**
 * Evaluates an expression as libxml2 does. The budget of `walk` pays for all work and memory in advance. Throws
 * XPathRefusal for a prefix that the root element does not declare, and BudgetSpent.
 */
export function evaluate(walk: Walk, focus: Focus, expression: Expression): Value {
  walk.budget.spend(partSteps);
  walk.budget.allocate(partBytes);
  switch (expression.kind) {
    case 'number':
    case 'literal':
      return expression.value;
    case 'negation':
      return -toNumber(walk, evaluate(walk, focus, expression.operand));
    case 'and':
    case 'or': {
      const left = toBoolean(evaluate(walk, focus, expression.left));
      if (left === (expression.kind === 'or')) return left;
      return toBoolean(evaluate(walk, focus, expression.right));
    }
    case 'arithmetic': {
      const left = toNumber(walk, evaluate(walk, focus, expression.left));
      return calculate(expression.operator, left, toNumber(walk, evaluate(walk, focus, expression.right)));
    }
    case 'comparison': {
      const left = evaluate(walk, focus, expression.left);
      return compare(walk, expression.operator, left, evaluate(walk, focus, expression.right));
    }
    case 'union': {
      const both = [expression.left, expression.right].map((one) => nodesOf(evaluate(walk, focus, one)));
      // The cost of merging both into one list.
      walk.budget.spend(both.reduce((sum, { length }) => sum + length, 0));
      return inOrder(walk, both.flat());
    }
    case 'call': {
      const args = expression.args.map((arg) => evaluate(walk, focus, arg));
      return callFunction(walk, focus, expression.name, args);
    }
    case 'path':
      return evaluatePath(walk, focus, expression);
  }
}

function evaluatePath(walk: Walk, focus: Focus, { from, predicates, steps }: PathExpression): NodeSet {
  let nodes: NodeSet = from === 'document' ? [0] : [focus.node];
  if (typeof from === 'object') nodes = filtered(walk, nodesOf(evaluate(walk, focus, from)), predicates);
  for (const step of steps) nodes = evaluateStep(walk, nodes, step);
  return nodes;
}

function evaluateStep(walk: Walk, nodes: NodeSet, { axis, test, predicates }: Step): NodeSet {
  const accepts = nodeTest(walk, test, axis === 'attribute' ? nodeKinds.attribute : nodeKinds.element);
  const found: number[] = [];
  for (const node of nodes) {
    walk.budget.spend(contextSteps);
    walk.budget.allocate(contextBytes);
    const here: number[] = [];
    visitAxis(walk, axis, node, (one) => {
      if (!accepts(one)) return;
      walk.budget.spend(takeSteps);
      walk.budget.allocate(nodeBytes);
      here.push(one);
    });
    const kept = filtered(walk, here, predicates);
    if (nodes.length === 1) return inOrder(walk, kept);
    for (const one of kept) found.push(one);
  }
  return inOrder(walk, found);
}

/** Returns the nodes for which every predicate is true, in the order of their axis. */
function filtered(walk: Walk, nodes: NodeSet, predicates: readonly Expression[]): NodeSet {
  let kept = nodes;
  for (const predicate of predicates) {
    const last = kept.length;
    walk.budget.allocate(nodeBytes * last);
    kept = kept.filter((node, at) => {
      const value = evaluate(walk, { node, position: at + 1, last }, predicate);
      return typeof value === 'number' ? value === at + 1 : toBoolean(value);
    });
  }
  return kept;
}

function nodeTest({ tree, budget }: Walk, test: NodeTest, principal: number): (node: number) => boolean {
  const { kinds } = tree;
  switch (test.test) {
    case 'node':
      return () => true;
    case 'text':
    case 'comment':
      return (node) => kinds[node] === nodeKinds[test.test as 'text'];
    case 'processing-instruction':
      return (node) => kinds[node] === nodeKinds.instruction && [null, tree.localName(node)].includes(test.target);
    case 'name': {
      const { prefix, local } = test;
      const uri = prefix === null ? null : uriOf({ tree, budget }, prefix);
      return (node) => {
        if (kinds[node] !== principal) return false;
        budget.spend(3);
        if (local !== null && tree.localName(node) !== local) return false;
        // A star alone matches names of every namespace; a name alone matches only names without one.
        return local === null && prefix === null ? true : (tree.namespace(node)?.uri ?? null) === uri;
      };
    }
  }
}

/** Returns the namespace of a prefix. The root element declares the prefixes of an expression. */
function uriOf({ tree, budget }: Walk, prefix: string): string {
  if (prefix === 'xml') return 'http://www.w3.org/XML/1998/namespace';
  for (const declared of tree.declared(tree.root)) {
    budget.spend(60);
    if (declared.prefix === prefix) return declared.uri;
  }
  throw new XPathRefusal(
    `the root element declares no prefix '${prefix}'; compare local-name() and namespace-uri() if it may be missing`,
  );
}

function calculate(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case 'div':
      return left / right;
    case 'mod':
      return left % right;
  }
}

/** Returns the same nodes without duplicates, in document order. */
function inOrder({ budget }: Walk, nodes: readonly number[]): NodeSet {
  let sorted = true;
  for (let at = 1; at < nodes.length && sorted; at += 1) sorted = (nodes[at - 1] ?? 0) < (nodes[at] ?? 0);
  budget.spend(Math.ceil(nodes.length / 2));
  if (sorted) return nodes;
  budget.spend(nodes.length * Math.ceil(Math.log2(nodes.length + 1)));
  budget.allocate(nodeBytes * nodes.length);
  return [...Int32Array.from(nodes).sort()].filter((node, at, all) => node !== all[at - 1]);
}

function nodesOf(value: Value): NodeSet {
  return isNodeSet(value) ? value : [];
}
