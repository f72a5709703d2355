import { boundedSelection } from '../selection.js';
import type { Selection } from '../selection.js';
import type { Walk } from './axes.js';
import { evaluate } from './evaluate.js';
import type { Expression } from './expression.js';
import { mostChars, parseExpression } from './parse-expression.js';
import { XPathRefusal } from './refusal.js';
import { payForChars, stringValue } from './strings.js';
import { isNodeSet } from './values.js';

/** Steps of asking at all, of reading one character of an expression, and of handing out one string. */
const askSteps = 1_000;
const charSteps = 10;
const stringSteps = 100;

/** A plugin asks the same at each event. What is kept is bounded: an expression has 1,024 characters at most. */
const mostKept = 256;
const kept = new Map<string, Expression>();

/** Steps of a `select` that do not depend on the document. */
export function askingSteps(xpath: string): number {
  // Of one that is too long nothing is read.
  return askSteps + charSteps * Math.min(xpath.length, mostChars + 1);
}

/** Parses an expression, which costs the same whether or not it was parsed before. Throws XPathRefusal. */
export function readExpression(xpath: string): Expression {
  const known = kept.get(xpath);
  if (known !== undefined) return known;
  const expression = parseExpression(xpath);
  if (kept.size >= mostKept) kept.clear();
  kept.set(xpath, expression);
  return expression;
}

/** Evaluates an expression for the root element. Throws BudgetSpent. */
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

/** Measuring a string, writing it as UTF-8 and copying it. */
function payForAnswer(walk: Walk, text: string): void {
  walk.budget.spend(stringSteps);
  payForChars(walk, text.length);
}
