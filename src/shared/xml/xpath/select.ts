import { boundedSelection } from '../selection.js';
import type { Selection } from '../selection.js';
import type { Walk } from './axes.js';
import { evaluate } from './evaluate.js';
import type { Expression } from './expression.js';
import { mostChars, parseExpression } from './parse-expression.js';
import { XPathRefusal } from './refusal.js';
import { payForChars, stringValue } from './strings.js';
import { isNodeSet } from './values.js';

/** Steps for each call, for each character of an expression, and for each string returned. */
const askSteps = 1_000;
const charSteps = 10;
const stringSteps = 100;

/**
 * A cache of parsed expressions: a plug-in uses the same ones at each event. Its size is bounded, because an expression
 * has at most 1,024 characters.
 */
const mostKept = 256;
const kept = new Map<string, Expression>();

/** Returns the steps of a `select` that do not depend on the document. */
export function askingSteps(xpath: string): number {
  // An expression that is too long is not read.
  return askSteps + charSteps * Math.min(xpath.length, mostChars + 1);
}

/** Parses an expression. The cost is the same whether or not it is cached. Throws XPathRefusal. */
export function readExpression(xpath: string): Expression {
  const known = kept.get(xpath);
  if (known !== undefined) return known;
  const expression = parseExpression(xpath);
  if (kept.size >= mostKept) kept.clear();
  kept.set(xpath, expression);
  return expression;
}

/** Evaluates an expression with the root element as its context. Throws BudgetSpent. */
export function selectFrom(walk: Walk, xpath: string): Selection {
  try {
    const expression = readExpression(xpath);
    const found = evaluate(walk, { node: walk.tree.root, position: 0, last: 0 }, expression);
    return isNodeSet(found) ? boundedSelection(found.length, strings(walk, found)) : answer(walk, String(found));
  } catch (error) {
    if (!(error instanceof XPathRefusal)) throw error;
    return { error: { tag: 'bad-xpath', val: error.message } };
  }
}

function answer(walk: Walk, text: string): Selection {
  payForAnswer(walk, text);
  return boundedSelection(1, [text]);
}

function* strings(walk: Walk, nodes: readonly number[]): Generator<string> {
  for (const node of nodes) {
    const text = stringValue(walk, node);
    payForAnswer(walk, text);
    yield text;
  }
}

/** Pays for measuring a string, encoding it as UTF-8 and copying it. */
function payForAnswer(walk: Walk, text: string): void {
  walk.budget.spend(stringSteps);
  payForChars(walk, text.length);
}
