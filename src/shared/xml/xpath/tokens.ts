import { XPathRefusal } from './refusal.js';

export interface Token {
  readonly kind: 'number' | 'literal' | 'name' | 'operator' | 'end';
  readonly text: string;
  /** Its position in the expression, in characters. */
  readonly at: number;
}

// NCName of "Namespaces in XML 1.0", by the characters of XML 1.0, fifth edition.
const nameStart =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F' +
  '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const name = `[${nameStart}][${nameStart}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040]*`;
const patterns = [
  ['number', '(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?![0-9A-Za-z_.])'],
  ['literal', `"[^"]*"|'[^']*'`],
  // A prefix is part of the name unless it is an axis.
  ['name', `${name}(?::(?!:)(?:${name}|\\*))?`],
  ['operator', '::|//|!=|<=|>=|\\.\\.|[-/@()\\[\\],.|+=<>*$]'],
] as const;
const token = new RegExp(patterns.map(([, pattern]) => `(${pattern})`).join('|'), 'uy');
const blanks = /[ \t\r\n]*/uy;

/** After these tokens a name or a star is an operand; after any other token it is an operator (XPath 1.0, 3.7). */
const opening = new Set([
  '@',
  '::',
  '(',
  '[',
  ',',
  'and',
  'or',
  'mod',
  'div',
  '*',
  '/',
  '//',
  '|',
  '+',
  '-',
  '=',
  '!=',
]);
const alsoOpening = new Set(['<', '<=', '>', '>=']);
const wordOperators = new Set(['and', 'or', 'mod', 'div']);

/**
 * Splits an expression into tokens. A star is an operator if it multiplies, and otherwise a name. Throws XPathRefusal.
 */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    blanks.lastIndex = at;
    blanks.exec(text);
    at = blanks.lastIndex;
    if (at === text.length) break;
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new XPathRefusal(`the text at character ${at + 1} is not XPath 1.0`);
    const kind =
      patterns[match.slice(1).findIndex((group: string | undefined) => group !== undefined)]?.[0] ?? 'operator';
    tokens.push(classified({ kind, text: match[0], at }, tokens.at(-1)));
    at = token.lastIndex;
  }
  return [...tokens, { kind: 'end', text: 'its end', at }];
}

function classified(found: Token, before: Token | undefined): Token {
  if (found.text !== '*' && !(found.kind === 'name' && wordOperators.has(found.text))) return found;
  const opens = before?.kind === 'operator' && (opening.has(before.text) || alsoOpening.has(before.text));
  return { ...found, kind: before === undefined || opens ? 'name' : 'operator' };
}
