import { close, closeSync, constants, fdatasync, fsync, ftruncateSync, open, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { openPrivateSync } from '../files/open-private.js';
import { segmentPath } from './segments.js';
import { segmentMode } from './share-folder.js';

/** A segment that is being written. */
export interface SegmentWriter {
  readonly number: number;
  readonly path: string;
  /** Size of its complete records, bytes. */
  readonly size: number;
  /** Time of its first record, milliseconds since the Unix epoch. */
  readonly began: number;
  /** Digests of its documents. */
  readonly documents: Set<string>;
  /** Writes complete lines, or throws the error of the system and leaves the segment unchanged. */
  write(lines: Buffer): void;
  /** Syncs everything written so far to disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The content of an existing segment. */
export interface SegmentState {
  readonly size: number;
  readonly began: number;
  readonly documents: Set<string>;
}

/** Appends, so that a second writer destroys nothing, and breaks the chain in a way that `verify` detects. */
const appending = constants.O_WRONLY | constants.O_APPEND;

/**
 * Opens a segment for writing, or a new one if `state` is null. Throws HookvisorError `untrusted`, or the error of the
 * system; EEXIST if the new one already exists.
 */
export function openSegment(dir: string, number: number, state: SegmentState | null): SegmentWriter {
  const path = segmentPath(dir, number);
  const isNew = state === null;
  const flags = isNew ? appending | constants.O_CREAT | constants.O_EXCL : appending;
  const fd = openPrivateSync(path, flags, isNew ? segmentMode(dir) : 0);
  let size = state?.size ?? 0;
  /** Whether a failed write left data that could not be removed. */
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

/** Removes an incomplete record from the end of a segment. Throws HookvisorError `untrusted`, or the system's error. */
export function truncateSegment(path: string, size: number): void {
  const fd = openPrivateSync(path, constants.O_WRONLY);
  try {
    ftruncateSync(fd, size);
  } finally {
    closeSync(fd);
  }
}

/** Truncates a segment. Returns false if that fails: the caller reports the error of the write instead. */
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
