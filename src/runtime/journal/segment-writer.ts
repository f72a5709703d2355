import { close, closeSync, constants, fdatasync, fsync, ftruncateSync, open, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { openPrivateSync } from '../files/open-private.js';
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

/** What is written is added at the end, so that a second writer destroys nothing and breaks the chain where `verify` sees it. */
const appending = constants.O_WRONLY | constants.O_APPEND;

/**
 * Opens a segment for writing, a new one when `state` is null. Throws HookvisorError `untrusted`, or the system's error;
 * EEXIST when the new one is there already.
 */
export function openSegment(dir: string, number: number, state: SegmentState | null): SegmentWriter {
  const path = segmentPath(dir, number);
  const fd = openPrivateSync(path, state === null ? appending | constants.O_CREAT | constants.O_EXCL : appending);
  let size = state?.size ?? 0;
  /** Whether a failed write left something behind that could not be cut off. */
  let torn = false;
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
      if (torn) ftruncateSync(fd, size);
      torn = false;
      try {
        for (let at = 0; at < lines.length;) at += writeSync(fd, lines, at);
      } catch (error) {
        torn = !cutOff(fd, size);
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

/** Removes a torn end from a segment. Throws HookvisorError `untrusted`, or the system's error. */
export function truncateSegment(path: string, size: number): void {
  const fd = openPrivateSync(path, constants.O_WRONLY);
  try {
    ftruncateSync(fd, size);
  } finally {
    closeSync(fd);
  }
}

/** Whether a segment could be cut off. The error of the write is the one to report. */
function cutOff(fd: number, size: number): boolean {
  try {
    ftruncateSync(fd, size);
    return true;
  } catch {
    return false;
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
