import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { requirePrivateFile, requirePrivateFolder, untrustedLink } from './private.js';
import { hasCode } from '../../contract/error-code.js';

/** A link is not followed, a pipe without a writer is not waited for, a terminal does not become this process' own. */
const guards = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const ownerOnly = 0o600;

/**
 * Opens a file that nobody but root and this process' user can have put there or can change: not through a symbolic link,
 * and only when {@link requirePrivateFile} accepts what is open. A file that is made has mode 0600. The folders above it
 * are not looked at, and Node has no openat(2): whoever can rename one of them decides what a path names. Throws
 * HookvisorError `untrusted`, or what open(2) throws.
 *
 * @param flags of open(2), such as `O_RDONLY`
 */
export async function openPrivate(path: string, flags: number): Promise<FileHandle> {
  const handle = await open(path, flags | guards, ownerOnly).catch((error: unknown) => {
    throw explain(path, error);
  });
  try {
    requirePrivateFile(path, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** As {@link openPrivate}, for callers that cannot wait. Returns a descriptor. */
export function openPrivateSync(path: string, flags: number): number {
  try {
    return judged(path, flags, requirePrivateFile);
  } catch (error) {
    throw explain(path, error);
  }
}

/** Throws HookvisorError `untrusted` unless {@link requirePrivateFolder} accepts a folder, and what open(2) throws. */
export function checkPrivateFolder(path: string): void {
  // Without a slash at its end, with which the kernel would follow a link.
  const folder = resolve(path);
  try {
    closeSync(judged(folder, constants.O_RDONLY | constants.O_DIRECTORY, requirePrivateFolder));
  } catch (error) {
    // open(2) says the same of a link as of a file.
    const isLink = hasCode(error, 'ENOTDIR') && lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    throw isLink ? untrustedLink(folder, 'folder', error) : error;
  }
}

function judged(path: string, flags: number, judge: (path: string, stats: Stats) => void): number {
  const descriptor = openSync(path, flags | guards, ownerOnly);
  try {
    judge(path, fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function explain(path: string, error: unknown): unknown {
  return hasCode(error, 'ELOOP') ? untrustedLink(path, 'file', error) : error;
}
