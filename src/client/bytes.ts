import { NoAnswer } from './no-answer.js';

/** Returns a chunk of a stream that has no encoding, and so gives bytes. */
export function bytesOf(chunk: unknown): Buffer {
  if (!Buffer.isBuffer(chunk)) throw new TypeError('the stream gave something other than bytes');
  return chunk;
}

/** Makes the error for a document that fits into no frame. */
export function tooLarge(): NoAnswer {
  return new NoAnswer('the document is larger than 64 MiB');
}
