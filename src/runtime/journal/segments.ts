import { constants } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { checkPrivateFolder, openPrivate } from '../files/open-private.js';
import { cannot } from './journal-error.js';

/** One file of a journal. Only the last one is written; the others are compressed in the background. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly compressed: boolean;
  /** Size of the file, bytes. */
  readonly bytes: number;
  /** Time of the last write, milliseconds since the Unix epoch: no record in it is newer. */
  readonly written: number;
}

/** Returns the path of a segment that is being written. */
export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(8, '0')}.jsonl`);
}

/** Matches the name of a segment: its number, and whether it is compressed. */
export const segmentName = /^(\d{8,})\.jsonl(\.gz)?$/u;

/**
 * Lists the segments of a journal, oldest first; none if the folder does not exist. Throws HookvisorError `untrusted` if
 * other users can write to the folder, otherwise `journal`.
 */
export async function listSegments(dir: string): Promise<Segment[]> {
  let names: string[];
  try {
    checkPrivateFolder(dir);
    names = await readdir(dir);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error instanceof HookvisorError ? error : cannot('read', dir, error);
  }
  const found = new Map<number, Segment>();
  // By name, so that the compressed copy, which is complete, wins if a segment exists twice.
  for (const name of names.sort()) {
    const match = segmentName.exec(name);
    if (match === null) continue;
    const path = join(dir, name);
    const stats = await lstat(path).catch(() => null);
    if (stats === null) continue;
    const [number, compressed] = [Number(match[1]), match[2] !== undefined];
    found.set(number, { number, path, compressed, bytes: stats.size, written: stats.mtimeMs });
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

/** The content of a segment, as far as it is readable; `problem` says why reading stopped. */
export interface SegmentContent {
  readonly bytes: Buffer;
  readonly problem: string | null;
}

/**
 * Reads a whole segment. If it is compressed meanwhile, reads that file; if it is deleted, returns nothing. Throws
 * HookvisorError `untrusted` for a file that other users may have put there, otherwise `journal`.
 */
export async function loadSegment(segment: Pick<Segment, 'path' | 'compressed'>): Promise<SegmentContent> {
  const { path, compressed } = segment;
  try {
    await using file = await openPrivate(path, constants.O_RDONLY);
    const bytes = await file.readFile();
    return compressed ? await decompress(bytes) : { bytes, problem: null };
  } catch (error) {
    if (error instanceof HookvisorError) throw error;
    if (!hasCode(error, 'ENOENT')) throw cannot('read', path, error);
    return compressed
      ? { bytes: Buffer.alloc(0), problem: null }
      : loadSegment({ path: `${path}.gz`, compressed: true });
  }
}

/** Keeps everything before the first error, so that the first bad record can be reported. */
async function decompress(bytes: Buffer): Promise<SegmentContent> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const end = (problem: string | null): void => {
      resolve({ bytes: Buffer.concat(chunks), problem });
    };
    createGunzip()
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('error', (error) => {
        end(`it cannot be decompressed (${messageOf(error)})`);
      })
      .on('end', () => {
        end(null);
      })
      .end(bytes);
  });
}

/** Returns the complete lines of `bytes`, without their line feeds, and their total length with them. */
export function splitLines(bytes: Buffer): { readonly lines: readonly Buffer[]; readonly end: number } {
  const lines: Buffer[] = [];
  let end = 0;
  for (let feed = bytes.indexOf(10); feed !== -1; feed = bytes.indexOf(10, end)) {
    lines.push(bytes.subarray(end, feed));
    end = feed + 1;
  }
  return { lines, end };
}
