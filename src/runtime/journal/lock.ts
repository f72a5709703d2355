import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { openPrivateSync } from '../files/open-private.js';
import { tryKernelLock } from './kernel-lock.js';
import { findLockHolder, noteOfThisProcess } from './lock-holder.js';

/** The lock that makes this process the only writer of a journal. */
export interface JournalLock {
  /** Tells whether the locked file still has its name: if not, another runtime could lock another file of that name. */
  isInPlace(): boolean;
  release(): void;
}

/** More attempts are only needed if another program keeps removing the file. */
const mostAttempts = 10;

/**
 * Makes this process the only writer of a journal, by a kernel lock on its file `lock`, which is never removed. Throws
 * HookvisorError `already-running` if another process holds the lock, `journal` if locking fails.
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
  const why = `another program replaced '${path}' ${mostAttempts} times; stop that program`;
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
    // The disk is full. The lock works without the note, which is only for messages.
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
