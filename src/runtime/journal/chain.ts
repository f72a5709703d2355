import { createHash, hash as digestOf } from 'node:crypto';
import type { LineBody } from './record.js';

/** The end of the chain: the last line's number and hash. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first line of a new journal. */
export const chainStart: ChainHead = { seq: 0, hash: '0'.repeat(64) };

const opening = ',"hash":"';
const digestChars = 64;
/** `,"hash":"…"}` at the end of every line. */
const sealChars = opening.length + digestChars + 2;

/**
 * Gives a line its place: its number, and as last member `hash`, the sha256 of the hash before it followed by the line's
 * JSON without that member. Text ends with a line feed.
 */
export function seal(body: LineBody, before: ChainHead): { readonly text: string; readonly head: ChainHead } {
  const seq = before.seq + 1;
  const open = `${JSON.stringify(body).slice(0, -1)},"seq":${seq}`;
  const hash = digestOf('sha256', `${before.hash}${open}}`);
  return { text: `${open}${opening}${hash}"}\n`, head: { seq, hash } };
}

/** The hash that a line (without its line feed) says it has; null when it has none at its end. */
export function claimedHash(line: Buffer): string | null {
  const tail = line.toString('latin1', Math.max(0, line.length - sealChars));
  return /^,"hash":"([0-9a-f]{64})"\}$/u.exec(tail)?.[1] ?? null;
}

/** The hash that a line must have after a line of the hash `before`. */
export function expectedHash(line: Buffer, before: string): string {
  const json = line.subarray(0, Math.max(0, line.length - sealChars));
  return createHash('sha256').update(before).update(json).update('}').digest('hex');
}
