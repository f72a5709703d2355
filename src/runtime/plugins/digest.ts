import { createHash } from 'node:crypto';
import { inSlices, type Work } from '../slices.js';

/** A Hash or Hmac of node:crypto. */
interface Digester {
  update(bytes: Buffer): unknown;
  digest(): Buffer;
}

/** Hashing this many bytes takes a few milliseconds on a slow machine. */
const pieceBytes = 1024 * 1024;

/** Returns the sha256 of a large buffer; events are answered in between. */
export function sha256InSlices(bytes: Buffer): Promise<Buffer> {
  return digestInSlices(createHash('sha256'), bytes);
}

/** Adds bytes to a hash and returns its digest; events are answered in between. */
export async function digestInSlices(hash: Digester, bytes: Buffer): Promise<Buffer> {
  return inSlices(hashing(hash, bytes));
}

function* hashing(hash: Digester, bytes: Buffer): Work<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    hash.update(bytes.subarray(at, at + pieceBytes));
    yield;
  }
  return hash.digest();
}
