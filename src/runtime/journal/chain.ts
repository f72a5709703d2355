import { createHash, hash as digestOf } from 'node:crypto';
import type { LineBody } from './record.js';

/** The end of the chain: the last line's number and hash. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** The start of the chain, before the first line. */
export const chainStart: ChainHead = { seq: 0, hash: '0'.repeat(64) };

const opening = ',"hash":"';
const digestChars = 64;
/** `,"hash":"…"}` at the end of every line. */
const sealChars = opening.length + digestChars + 2;

/**
 * Adds a line to the chain: its number, and as last member `hash`, the sha256 of the previous hash followed by the JSON
 * of the line without that member. The text ends with a line feed.
 */
export function seal(body: LineBody, before: ChainHead): { readonly text: string; readonly head: ChainHead } {
  const seq = before.seq + 1;
  const open = `${JSON.stringify(body).slice(0, -1)},"seq":${seq}`;
  const hash = digestOf('sha256', `${before.hash}${open}}`);
  return { text: `${open}${opening}${hash}"}\n`, head: { seq, hash } };
}

/** Returns the hash that a line (without its line feed) claims; null if it does not end with a hash. */
export function claimedHash(line: Buffer): string | null {
  const tail = line.toString('latin1', Math.max(0, line.length - sealChars));
  return /^,"hash":"([0-9a-f]{64})"\}$/u.exec(tail)?.[1] ?? null;
}

/** Returns the hash that a line must have after a line with the hash `before`. */
export function expectedHash(line: Buffer, before: string): string {
  const json = line.subarray(0, Math.max(0, line.length - sealChars));
  return createHash('sha256').update(before).update(json).update('}').digest('hex');
}
