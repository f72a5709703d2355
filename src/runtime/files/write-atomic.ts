import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface WriteAtomicOptions {
  /** Permission bits; by default 0666 minus the umask. */
  readonly mode?: number;
  /** By default, the user and group of this process. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Writes a file atomically and durably: it survives a crash of the machine completely or not at all. Writes to a new
 * file with an unpredictable name in the same folder. Replaces a link instead of following it. Throws the error of the
 * system.
 */
export function writeAtomic(path: string, bytes: Uint8Array, { mode, owner }: WriteAtomicOptions = {}): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  try {
    withOpen(temporary, { flags: 'wx', mode: mode === undefined ? 0o666 : 0o600 }, (file) => {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
      // After the owner, because changing the owner clears set-user-ID.
      if (mode !== undefined) fchmodSync(file, mode);
      fsyncSync(file);
    });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  withOpen(dirname(path), { flags: 'r', mode: 0 }, fsyncSync);
}

function withOpen(
  path: string,
  { flags, mode }: { flags: string; mode: number },
  use: (descriptor: number) => void,
): void {
  const descriptor = openSync(path, flags, mode);
  try {
    use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
