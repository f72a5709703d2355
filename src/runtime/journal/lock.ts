import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { openPrivateSync } from '../files/open-private.js';
import { tryKernelLock } from './kernel-lock.js';
import { findLockHolder, noteOfThisProcess } from './lock-holder.js';

/** What makes this process the only writer of a journal. */
export interface JournalLock {
  /** Whether the file that is locked still has its name: else another runtime may lock another file of that name. */
  isInPlace(): boolean;
  release(): void;
}

/** Somebody would have to remove the file again and again. */
const mostAttempts = 10;

/**
 * Makes this process the only writer of a journal: by a lock of the kernel on its file `lock`, which stays when the lock is
 * gone. Throws HookvisorError `already-running` when another process has it, `journal` when it cannot be taken.
 */
export async function lockJournal(dir: string): Promise<JournalLock> {
  const path = join(dir, 'lock');
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const file = openPrivateSync(path, constants.O_RDWR | constants.O_CREAT);
    try {
      if (!(await tryKernelLock(file, path))) throw alreadyRunning(dir, file);
      if (isAt(file, path)) return hold(file, path);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
  }
  const why = `'${path}' was replaced ${mostAttempts} times meanwhile; find out which program does that`;
  throw new HookvisorError('journal', `Cannot lock the journal '${dir}': ${why}`, { fields: { file: path } });
}

function hold(file: number, path: string): JournalLock {
  note(file, noteOfThisProcess());
  return {
    isInPlace: () => isAt(file, path),
    release() {
      note(file, '');
      closeSync(file);
    },
  };
}

function note(file: number, text: string): void {
  try {
    ftruncateSync(file, 0);
    writeSync(file, text, 0);
  } catch {
    // The disk is full. The lock holds all the same: only a message would have used this.
  }
}

function isAt(file: number, path: string): boolean {
  const [open, named] = [fstatSync(file, { bigint: true }), lstatSync(path, { bigint: true, throwIfNoEntry: false })];
  return named?.dev === open.dev && named.ino === open.ino;
}

function alreadyRunning(dir: string, file: number): HookvisorError {
  const { pid, text } = findLockHolder(file);
  return new HookvisorError(
    'already-running',
    `Cannot write the journal '${dir}': another runtime (${text}) writes it; stop it, ` +
      `use 'hookvisor reload', or set another journal.dir`,
    { fields: { dir, pid } },
  );
}
