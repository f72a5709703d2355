import { constants } from 'node:fs';
import { rename, unlink, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { dirname } from 'node:path';
import { openPrivate } from '../files/open-private.js';
import { listSegments, type Segment } from './segments.js';
import { segmentMode } from './share-folder.js';
import { hasCode } from '../../contract/error-code.js';

/** Limits of what a journal keeps. */
export interface Retention {
  /** Maximum total size of all segments on disk, bytes. */
  readonly maxBytes: number;
  /** Maximum age of a record, milliseconds. */
  readonly maxAgeMs: number;
}

/**
 * Compresses the segments before `active`, then deletes the oldest ones while the total size is too large, and those
 * whose newest record is too old. Keeps the active segment. Throws the error of the system.
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

/** Deletes the original only after the copy is complete and synced, so that at least one of them survives a crash. */
async function compress(segment: Segment): Promise<void> {
  const part = `${segment.path}.gz.part`;
  const chunkBytes = 256 * 1024;
  const creating = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  await unlinkIfThere(part);
  try {
    await using original = await openPrivate(segment.path, constants.O_RDONLY);
    await using copy = await openPrivate(part, creating, segmentMode(dirname(part)));
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
