import type { Walk } from './axes.js';
import { nodeKinds } from './tree.js';

/** Characters that one step pays for: making, reading and comparing them takes at most 2.5 ns each. */
const charsPerStep = 4;
/** Memory of a string besides its characters, which take two bytes each at most. */
const stringBytes = 64;

/** Pays for work on so many characters. */
export function payForChars({ budget }: Pick<Walk, 'budget'>, chars: number): void {
  budget.spend(1 + Math.ceil(chars / charsPerStep));
}

/** Pays for a string that is made: before it is, where its length is known. */
export function payForString({ budget }: Pick<Walk, 'budget'>, chars: number): void {
  budget.spend(4 + Math.ceil(chars / charsPerStep));
  budget.allocate(stringBytes + 2 * chars);
}

/** The string value of a node: of an element or the document, all text inside of it. */
export function stringValue(walk: Walk, node: number): string {
  const { tree, budget } = walk;
  const { kinds, ends, insides } = tree;
  const own = (one: number): string => {
    const text = tree.ownText(one);
    budget.spend(12);
    payForString(walk, text.length);
    return text;
  };
  const kind = kinds[node];
  if (kind !== nodeKinds.element && kind !== nodeKinds.document) return own(node);
  const end = ends[node] ?? node;
  let value = '';
  for (let one = insides[node] ?? end + 1; one <= end; one = insides[one] ?? end + 1) {
    budget.spend(2);
    if (kinds[one] === nodeKinds.text) value += own(one);
  }
  return value;
}

/**
 * Where one text begins in another, or -1: by the algorithm of Knuth, Morris and Pratt, which takes as long as both are
 * together, whatever they say. `indexOf` takes as long as their product for some.
 */
export function find(walk: Pick<Walk, 'budget'>, text: string, wanted: string): number {
  payForString(walk, 2 * wanted.length);
  payForChars(walk, 2 * text.length);
  if (wanted === '') return 0;
  const fallback = new Int32Array(wanted.length);
  for (let at = 1, matched = 0; at < wanted.length; at += 1) {
    while (matched > 0 && wanted.charCodeAt(at) !== wanted.charCodeAt(matched)) matched = fallback[matched - 1] ?? 0;
    if (wanted.charCodeAt(at) === wanted.charCodeAt(matched)) matched += 1;
    fallback[at] = matched;
  }
  for (let at = 0, matched = 0; at < text.length; at += 1) {
    while (matched > 0 && text.charCodeAt(at) !== wanted.charCodeAt(matched)) matched = fallback[matched - 1] ?? 0;
    if (text.charCodeAt(at) === wanted.charCodeAt(matched)) matched += 1;
    if (matched === wanted.length) return at + 1 - matched;
  }
  return -1;
}

/** `substring()`: characters are code points, and positions are rounded. */
export function substring(walk: Pick<Walk, 'budget'>, text: string, from: number, length: number): string {
  payForString(walk, 2 * text.length);
  const first = Math.round(from);
  const behind = first + Math.round(length);
  let [found, position] = ['', 0];
  for (const char of text) {
    position += 1;
    if (position >= first && position < behind) found += char;
  }
  return found;
}

export function translate(walk: Pick<Walk, 'budget'>, text: string, [from, to]: readonly [string, string]): string {
  payForString(walk, 2 * text.length);
  for (const one of [from, to]) payForString(walk, 16 * one.length);
  const replacements = [...to];
  const map = new Map<string, string>();
  for (const [at, char] of [...from].entries()) if (!map.has(char)) map.set(char, replacements[at] ?? '');
  let translated = '';
  for (const char of text) translated += map.get(char) ?? char;
  return translated;
}

export function codePoints(walk: Pick<Walk, 'budget'>, text: string): number {
  payForChars(walk, text.length);
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // The second half of a pair is no character of its own.
    if (unit < 0xdc00 || unit > 0xdfff) count += 1;
  }
  return count;
}

export function normalizeSpace(walk: Pick<Walk, 'budget'>, text: string): string {
  payForString(walk, 2 * text.length);
  const single = text.replaceAll(/[ \t\r\n]+/gu, ' ');
  return single.slice(single.startsWith(' ') ? 1 : 0, single.endsWith(' ') ? -1 : undefined);
}
