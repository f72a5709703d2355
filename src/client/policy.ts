import { type Stats, statSync } from 'node:fs';
import {
  defaultPolicy,
  parseUnreachablePolicy,
  policyBytes,
  type UnreachablePolicy,
} from '../contract/unreachable-policy.js';
import { readShortFile, type ShortFile } from './short-file.js';
import { codeOf } from '../contract/error-code.js';
import { textOf } from './system-error.js';

/** A policy and the file that contains it. */
export interface FilePolicy extends UnreachablePolicy {
  readonly file: string;
}

/** Reads the policy for an unreachable runtime. Any problem with the file results in `deny`. */
export function readPolicy(file: string): FilePolicy {
  let found: ShortFile;
  try {
    found = readShortFile(file, policyBytes);
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'it does not exist' : textOf(error);
    return { ...defaultPolicy, file, problem: `cannot be read: ${why}` };
  }
  if (othersMayChange(found.stats)) {
    return { ...defaultPolicy, file, problem: 'can be changed by other users; run chown root and chmod go-w on it' };
  }
  const policy = parseUnreachablePolicy(found.bytes);
  if (policy.action === 'script' && othersMayChangePath(policy.script)) {
    return { ...policy, file, action: 'deny', problem: 'names a script that other users can change' };
  }
  return { ...policy, file };
}

/**
 * Returns whether a user other than root and this process's user may write to a file. `hookvisor check` and `doctor`
 * check the folders above it. A device stores no text, so it does not count.
 */
function othersMayChange(found: Stats): boolean {
  if (found.isCharacterDevice()) return false;
  if (found.uid !== 0 && found.uid !== process.geteuid?.()) return true;
  return (found.mode & 0o022) !== 0;
}

/** Returns the result of othersMayChange for the file at a path. */
function othersMayChangePath(path: string): boolean {
  try {
    return othersMayChange(statSync(path));
  } catch {
    return false; // executing it reports why this failed
  }
}
