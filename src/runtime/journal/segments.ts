import { constants } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { checkPrivateFolder, openPrivate } from '../files/open-private.js';
import { cannot } from './journal-error.js';

/** One file of a journal. Only the last one is written to; those before it are compressed in the background. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly compressed: boolean;
  /** Size of the file, bytes. */
  readonly bytes: number;
  /** When it was last written to, milliseconds since the Unix epoch: no record in it is newer. */
  readonly written: number;
}

/** Where the segment of a number is while it is written to. */
export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(8, '0')}.jsonl`);
}

/**
 * The segments of a journal, oldest first. A folder that is not there has none. Throws HookvisorError `untrusted` when
 * others may write to the folder, else `journal`.
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
  // By name, so that of a segment which is there twice the compressed one, complete by then, counts.
  for (const name of names.sort()) {
    const match = /^(\d{8,})\.jsonl(\.gz)?$/u.exec(name);
    if (match === null) continue;
    const path = join(dir, name);
    const stats = await lstat(path).catch(() => null);
    if (stats === null) continue;
    const [number, compressed] = [Number(match[1]), match[2] !== undefined];
    found.set(number, { number, path, compressed, bytes: stats.size, written: stats.mtimeMs });
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

/** What a segment holds, as far as it can be read; `problem` says what stopped the reading. */
export interface SegmentContent {
  readonly bytes: Buffer;
  readonly problem: string | null;
}

/**
 * Reads a segment whole. One that is compressed, or deleted, meanwhile is found, or empty. Throws HookvisorError
 * `untrusted` for what others may have put there, else `journal`.
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

/** Keeps what comes before a mistake, so that the first bad record can be named. */
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

/** The whole lines of `bytes`, without their line feeds, and how many bytes they take with them. */
export function splitLines(bytes: Buffer): { readonly lines: readonly Buffer[]; readonly end: number } {
  const lines: Buffer[] = [];
  let end = 0;
  for (let feed = bytes.indexOf(10); feed !== -1; feed = bytes.indexOf(10, end)) {
    lines.push(bytes.subarray(end, feed));
    end = feed + 1;
  }
  return { lines, end };
}
