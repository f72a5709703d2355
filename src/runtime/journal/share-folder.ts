import { chmodSync, chownSync, closeSync, constants, fchmodSync, fchownSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openPrivateSync } from '../files/open-private.js';
import { segmentName } from './segments.js';

/** Owner: everything; group: read. New files inherit the group of the folder. */
const sharedFolderMode = 0o2750;
const sharedFileMode = 0o640;

/**
 * Lets a group read the journal: the folder and its segments, not its key or its lock. Throws HookvisorError
 * `untrusted`, or the error of the system.
 */
export function shareFolder(dir: string, gid: number): void {
  chownSync(dir, statSync(dir).uid, gid);
  chmodSync(dir, sharedFolderMode);
  for (const name of readdirSync(dir)) {
    if (!segmentName.test(name)) continue;
    const file = openPrivateSync(join(dir, name), constants.O_RDONLY);
    try {
      fchownSync(file, process.geteuid?.() ?? 0, gid);
      fchmodSync(file, sharedFileMode);
    } finally {
      closeSync(file);
    }
  }
}

/** Mode of a new segment: readable by the group of a folder that is shared with it. */
export function segmentMode(dir: string): number {
  const { mode } = statSync(dir);
  return (mode & 0o7777) === sharedFolderMode ? sharedFileMode : 0o600;
}
