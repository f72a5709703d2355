import type { Walk } from './axes.js';
import { nodeKinds } from './tree.js';

/** Characters per step: creating, reading or comparing one takes at most 2.5 ns. */
const charsPerStep = 4;
/** Memory of a string in addition to its characters, which take at most two bytes each. */
const stringBytes = 64;

/** Pays for work on a number of characters. */
export function payForChars({ budget }: Pick<Walk, 'budget'>, chars: number): void {
  budget.spend(1 + Math.ceil(chars / charsPerStep));
}

/** Pays for a new string, in advance if its length is known. */
export function payForString({ budget }: Pick<Walk, 'budget'>, chars: number): void {
  budget.spend(4 + Math.ceil(chars / charsPerStep));
  budget.allocate(stringBytes + 2 * chars);
}

/** Returns the string value of a node. For an element or the document, this is all text inside it. */
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
 * Returns the index of one text in another, or -1. Uses the algorithm of Knuth, Morris and Pratt, whose time is linear
 * in the sum of the lengths for all texts. For some texts, the time of `indexOf` is linear in their product.
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

export function concat(walk: Walk, texts: readonly string[]): string {
  payForString(
    walk,
    texts.reduce((sum, one) => sum + one.length, 0),
  );
  return texts.join('');
}

export function startsWith(walk: Walk, whole: string, beginning: string): boolean {
  payForChars(walk, beginning.length);
  return whole.startsWith(beginning);
}

/** Returns the part before the first occurrence of `wanted`; empty if there is none. */
export function substringBefore(walk: Walk, whole: string, wanted: string): string {
  return whole.slice(0, Math.max(0, find(walk, whole, wanted)));
}

/** Returns the part after the first occurrence of `wanted`; empty if there is none. */
export function substringAfter(walk: Walk, whole: string, wanted: string): string {
  const at = find(walk, whole, wanted);
  return at < 0 ? '' : whole.slice(at + wanted.length);
}

/** Implements `substring()`: characters are code points, and positions are rounded. */
export function substring(walk: Pick<Walk, 'budget'>, text: string, from: number, length: number): string {
  payForString(walk, 2 * text.length);
  const first = Math.round(from);
  const behind = first + Math.round(length);
  let [begins, ends, position] = [-1, -1, 0];
  for (let at = 0; at < text.length; at += 1) {
    if (isSecondHalf(text.charCodeAt(at))) continue;
    position += 1;
    // Written so that NaN never matches.
    const inside = position >= first && position < behind;
    if (inside && begins < 0) begins = at;
    if (!inside && begins >= 0 && ends < 0) ends = at;
  }
  return begins < 0 ? '' : text.slice(begins, ends < 0 ? undefined : ends);
}

export function translate(walk: Pick<Walk, 'budget'>, text: string, [from, to]: readonly [string, string]): string {
  // Looking up a character takes ten times as long as reading it, and the result takes at most four bytes for each
  // character.
  payForString(walk, 5 * text.length);
  for (const one of [from, to]) payForString(walk, 16 * one.length);
  const replacements = Array.from(to);
  const map = new Map<number, string>();
  for (const [at, char] of Array.from(from).entries()) {
    const code = char.codePointAt(0) ?? 0;
    if (!map.has(code)) map.set(code, replacements[at] ?? '');
  }
  const written = new Uint16Array(2 * text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.codePointAt(at) ?? 0;
    const units = code > 0xffff ? text.slice(at, at + 2) : null;
    const replacement = map.get(code) ?? units;
    if (replacement === null) written[length++] = code;
    else for (let unit = 0; unit < replacement.length; unit += 1) written[length++] = replacement.charCodeAt(unit);
    if (units !== null) at += 1;
  }
  return textOf(written, length);
}

/** Returns the text of a number of UTF-16 code units. */
function textOf(units: Uint16Array, length: number): string {
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le');
}

/** The second half of a surrogate pair is not a character of its own. */
const isSecondHalf = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

export function codePoints(walk: Pick<Walk, 'budget'>, text: string): number {
  payForChars(walk, text.length);
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (!isSecondHalf(text.charCodeAt(at))) count += 1;
  }
  return count;
}

export function normalizeSpace(walk: Pick<Walk, 'budget'>, text: string): string {
  payForString(walk, 3 * text.length);
  const written = new Uint16Array(text.length);
  let [length, gap] = [0, false];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const blank = unit === 0x20 || unit === 0x09 || unit === 0x0d || unit === 0x0a;
    if (!blank) {
      if (gap && length > 0) written[length++] = 0x20;
      written[length++] = unit;
    }
    gap = blank;
  }
  return textOf(written, length);
}
