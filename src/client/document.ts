import { isatty } from 'node:tty';
import { bounds } from '../contract/limits.js';
import { bytesOf, tooLarge } from './bytes.js';
import { NoAnswer } from './no-answer.js';
import { textOf } from './system-error.js';

/** Reads stdin to its end. Skips a terminal, because libvirt never provides one. Throws NoAnswer. */
export async function readDocument(): Promise<Buffer> {
  if (isatty(0)) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const item of process.stdin) {
      const chunk = bytesOf(item);
      chunks.push(chunk);
      size += chunk.length;
      if (size > bounds.frameBytes) throw tooLarge();
    }
  } catch (error) {
    throw error instanceof NoAnswer ? error : new NoAnswer(`stdin cannot be read: ${textOf(error)}`);
  }
  return Buffer.concat(chunks);
}
