import { close, closeSync, fdatasync, fsync, ftruncateSync, open, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { segmentPath } from './segments.js';

/** The segment that is written to. */
export interface SegmentWriter {
  readonly number: number;
  readonly path: string;
  /** Bytes of whole records. */
  readonly size: number;
  /** Time of its first record, milliseconds since the Unix epoch. */
  readonly began: number;
  /** Digests of the documents in it. */
  readonly documents: Set<string>;
  /** Writes whole lines, or throws the system's error and leaves the segment as it was. */
  write(lines: Buffer): void;
  /** Resolves when everything written so far survives a crash of the machine. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What is in a segment that is there already. */
export interface SegmentState {
  readonly size: number;
  readonly began: number;
  readonly documents: Set<string>;
}

/** Opens a segment for writing, a new one when `state` is null. Throws the system's error. */
export function openSegment(dir: string, number: number, state: SegmentState | null): SegmentWriter {
  const path = segmentPath(dir, number);
  const fd = openSync(path, state === null ? 'wx' : 'r+', 0o600);
  let size = state?.size ?? 0;
  let nameIsSafe = state !== null;
  return {
    number,
    path,
    get size() {
      return size;
    },
    began: state?.began ?? Date.now(),
    documents: state?.documents ?? new Set(),
    write(lines) {
      try {
        // At a position of our own: what a failed write left behind is overwritten even if it cannot be cut off.
        for (let at = 0; at < lines.length;) at += writeSync(fd, lines, at, lines.length - at, size + at);
      } catch (error) {
        cutOff(fd, size);
        throw error;
      }
      size += lines.length;
    },
    async sync() {
      await promisify(fdatasync)(fd);
      if (nameIsSafe) return;
      await syncFolder(dirname(path));
      nameIsSafe = true;
    },
    async close() {
      await promisify(close)(fd);
    },
  };
}

/** Removes a torn end from a segment. Throws the system's error. */
export function truncateSegment(path: string, size: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, size);
  } finally {
    closeSync(fd);
  }
}

function cutOff(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size);
  } catch {
    // The first error is the one to report. The next record is written over the rest.
  }
}

async function syncFolder(dir: string): Promise<void> {
  const fd = await promisify(open)(dir, 'r');
  try {
    await promisify(fsync)(fd);
  } finally {
    await promisify(close)(fd);
  }
}
