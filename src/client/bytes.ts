import { NoAnswer } from './no-answer.js';

/** Returns a chunk of a stream that has no encoding and therefore yields bytes. Throws TypeError for anything else. */
export function bytesOf(chunk: unknown): Buffer {
  if (!Buffer.isBuffer(chunk)) throw new TypeError('the stream returned something other than bytes');
  return chunk;
}

/** Returns the error for a document that exceeds the maximum frame size. */
export function tooLarge(): NoAnswer {
  return new NoAnswer('the document is larger than 64 MiB');
}
