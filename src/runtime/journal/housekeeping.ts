import { constants } from 'node:fs';
import { rename, unlink, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { openPrivate } from '../files/open-private.js';
import { listSegments, type Segment } from './segments.js';
import { hasCode } from '../../contract/error-code.js';

/** What of a journal is kept. */
export interface Retention {
  /** Most bytes of all segments together, as they are on disk. */
  readonly maxBytes: number;
  /** Oldest record, milliseconds. */
  readonly maxAgeMs: number;
}

/**
 * Compresses the segments before `active`, then deletes the oldest ones while all together are too large, and those
 * whose newest record is too old. The active one stays. Throws the system's error.
 */
export async function keepHouse(dir: string, active: number, retention: Retention): Promise<void> {
  for (const segment of await listSegments(dir)) {
    if (segment.number < active && !segment.compressed) await compress(segment);
  }
  const segments = await listSegments(dir);
  let total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const oldest = Date.now() - retention.maxAgeMs;
  for (const segment of segments) {
    if (segment.number >= active || (total <= retention.maxBytes && segment.written >= oldest)) break;
    await unlink(segment.path);
    await unlinkIfThere(segment.path.replace(/jsonl(?:\.gz)?$/u, 'torn'));
    total -= segment.bytes;
  }
}

/** The original goes when the copy is whole and safe, so that a crash leaves one of them at least. */
async function compress(segment: Segment): Promise<void> {
  const part = `${segment.path}.gz.part`;
  const chunkBytes = 256 * 1024;
  await unlinkIfThere(part);
  try {
    await using original = await openPrivate(segment.path, constants.O_RDONLY);
    await using copy = await openPrivate(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    await pipeline(
      original.createReadStream({ highWaterMark: chunkBytes }),
      createGzip({ level: 6, chunkSize: chunkBytes }),
      async (packed: AsyncIterable<Buffer>) => writeFile(copy, packed),
    );
    await copy.utimes(new Date(), new Date(segment.written));
    await copy.sync();
    await rename(part, `${segment.path}.gz`);
  } catch (error) {
    await unlinkIfThere(part);
    throw error;
  }
  await unlink(segment.path);
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
