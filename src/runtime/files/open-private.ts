import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { requirePrivateFile, requirePrivateFolder, untrustedLink } from './private.js';
import { hasCode } from '../../contract/error-code.js';

/** Does not follow links, wait for the writer of a pipe, or acquire a controlling terminal. */
const guards = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const ownerOnly = 0o600;

/**
 * Opens a file that only root and the user of this process can have created and can change: does not follow a symbolic
 * link, and requires that {@link requirePrivateFile} accepts the open file. New files have mode 0600 unless `mode` says otherwise. The folders above
 * are not examined, and Node lacks openat(2): a user who can rename one of them controls what a path refers to. Throws
 * HookvisorError `untrusted`, or the errors of open(2).
 *
 * @param flags of open(2), such as `O_RDONLY`
 * @param mode of a new file
 */
export async function openPrivate(path: string, flags: number, mode = ownerOnly): Promise<FileHandle> {
  const handle = await open(path, flags | guards, mode).catch((error: unknown) => {
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

/** Does the same as {@link openPrivate}, synchronously. Returns a descriptor. */
export function openPrivateSync(path: string, flags: number, mode = ownerOnly): number {
  try {
    return judged(path, { flags, mode }, requirePrivateFile);
  } catch (error) {
    throw explain(path, error);
  }
}

/** Throws HookvisorError `untrusted` unless {@link requirePrivateFolder} accepts a folder, or the errors of open(2). */
export function checkPrivateFolder(path: string): void {
  // With a slash at the end, the kernel would follow a link.
  const folder = resolve(path);
  try {
    closeSync(judged(folder, { flags: constants.O_RDONLY | constants.O_DIRECTORY, mode: 0 }, requirePrivateFolder));
  } catch (error) {
    // open(2) reports the same error for a link as for a file.
    const isLink = hasCode(error, 'ENOTDIR') && lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    throw isLink ? untrustedLink(folder, 'folder', error) : error;
  }
}

function judged(
  path: string,
  { flags, mode }: { flags: number; mode: number },
  judge: (path: string, stats: Stats) => void,
): number {
  const descriptor = openSync(path, flags | guards, mode);
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
