import { createHash } from 'node:crypto';
import { inSlices, type Work } from '../slices.js';

/** Some milliseconds of hashing on a slow machine, bytes. */
const pieceBytes = 1024 * 1024;

/** sha256 of bytes that may be many: events are answered in between. */
export async function sha256InSlices(bytes: Buffer): Promise<Buffer> {
  return inSlices(hashing(bytes));
}

function* hashing(bytes: Buffer): Work<Buffer> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    hash.update(bytes.subarray(at, at + pieceBytes));
    yield;
  }
  return hash.digest();
}
