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

/** A policy and the file that it comes from. */
export interface FilePolicy extends UnreachablePolicy {
  readonly file: string;
}

/** Reads the policy for an unreachable runtime. Whatever is wrong with the file makes it `deny`. */
export function readPolicy(file: string): FilePolicy {
  let found: ShortFile;
  try {
    found = readShortFile(file, policyBytes);
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'it does not exist' : textOf(error);
    return { ...defaultPolicy, file, problem: `cannot be read: ${why}` };
  }
  if (othersMayChange(found.stats)) {
    return { ...defaultPolicy, file, problem: 'may be changed by others; give it to root, then chmod go-w' };
  }
  const policy = parseUnreachablePolicy(found.bytes);
  if (policy.action === 'script' && othersMayChangePath(policy.script)) {
    return { ...policy, file, action: 'deny', problem: 'names a script that others may change' };
  }
  return { ...policy, file };
}

/**
 * Whether somebody else than root and this process' user may write to a file. The folders above it are examined by
 * `hookvisor check` and `doctor`. A device holds no text of anybody's.
 */
function othersMayChange(found: Stats): boolean {
  if (found.isCharacterDevice()) return false;
  if (found.uid !== 0 && found.uid !== process.geteuid?.()) return true;
  return (found.mode & 0o022) !== 0;
}

/** As othersMayChange, of what a path leads to. */
function othersMayChangePath(path: string): boolean {
  try {
    return othersMayChange(statSync(path));
  } catch {
    return false; // executing it says why it cannot be
  }
}
