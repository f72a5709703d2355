import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface WriteAtomicOptions {
  /** Permission bits; by default those that the umask leaves of 0666. */
  readonly mode?: number;
  /** By default this process' user and group. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Puts a file in its place whole and safe from a crash of the machine, or not at all. What is written to is always a new
 * file, of a name that cannot be guessed, in the same folder; a link in its place is replaced, not followed. Throws the
 * system's error.
 */
export function writeAtomic(path: string, bytes: Uint8Array, { mode, owner }: WriteAtomicOptions = {}): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  try {
    withOpen(temporary, { flags: 'wx', mode: mode === undefined ? 0o666 : 0o600 }, (file) => {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
      // After the owner: changing that takes set-user-ID away.
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
