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

/** What is before the first place of `wanted`; empty if it is nowhere. */
export function substringBefore(walk: Walk, whole: string, wanted: string): string {
  return whole.slice(0, Math.max(0, find(walk, whole, wanted)));
}

/** What is after the first place of `wanted`; empty if it is nowhere. */
export function substringAfter(walk: Walk, whole: string, wanted: string): string {
  const at = find(walk, whole, wanted);
  return at < 0 ? '' : whole.slice(at + wanted.length);
}

/** `substring()`: characters are code points, and positions are rounded. */
export function substring(walk: Pick<Walk, 'budget'>, text: string, from: number, length: number): string {
  payForString(walk, 2 * text.length);
  const first = Math.round(from);
  const behind = first + Math.round(length);
  let [begins, ends, position] = [-1, -1, 0];
  for (let at = 0; at < text.length; at += 1) {
    if (isSecondHalf(text.charCodeAt(at))) continue;
    position += 1;
    // Written so that NaN is never reached.
    const inside = position >= first && position < behind;
    if (inside && begins < 0) begins = at;
    if (!inside && begins >= 0 && ends < 0) ends = at;
  }
  return begins < 0 ? '' : text.slice(begins, ends < 0 ? undefined : ends);
}

export function translate(walk: Pick<Walk, 'budget'>, text: string, [from, to]: readonly [string, string]): string {
  // Looking a character up takes ten times as long as reading it, and what is written takes four bytes of each at most.
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

/** The text of so many UTF-16 code units. */
function textOf(units: Uint16Array, length: number): string {
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le');
}

/** The second half of a pair is no character of its own. */
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
