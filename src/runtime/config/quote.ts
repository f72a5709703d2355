import { oneLine } from '../../contract/text.js';
import { nearest } from './nearest.js';

/** Formats a value of the configuration for a message. */
export function quote(value: unknown): string {
  if (value === null || value === undefined) return 'an empty value';
  if (typeof value === 'string') return `'${oneLine(value, 80)}'`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'a mapping';
}

/** Returns `did you mean 'x'?` when a known word is similar, otherwise the list of known words. */
export function suggest(word: unknown, known: readonly string[]): string {
  const near = typeof word === 'string' ? nearest(word, known) : null;
  return near === null ? `write ${alternatives(known)}` : `did you mean '${near}'?`;
}

function alternatives(known: readonly string[]): string {
  if (known.length > 12) return `one of ${known.slice(0, 12).join(', ')}, …`;
  return known.length < 2 ? known.join('') : `${known.slice(0, -1).join(', ')} or ${known.at(-1) ?? ''}`;
}
