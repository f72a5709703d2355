import type { Stats } from 'node:fs';
import { HookvisorError } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import { shellQuote } from './shell-quote.js';

/** Maximum length of a path in a sentence; commands contain the whole path. */
const shownChars = 400;
const writableByOthers = 0o022;

/**
 * Throws HookvisorError `untrusted` unless a folder belongs to root or the user of this process, and nobody else can
 * write to it. `stats` are those of an open descriptor, so that exactly the examined folder is used.
 */
export function requirePrivateFolder(path: string, stats: Stats): void {
  const [user, word] = [thisUser(), shellQuote(path)];
  if (!isOurs(stats)) {
    // The former owner may still have files in it open; a change of owner would not close them.
    const mend = `mv ${word} ${shellQuote(`${path}.untrusted`)}`;
    throw untrusted({ path, stats, what: 'other users can change its content', remedy: `move it away: ${mend}` });
  }
  if ((stats.mode & 0o1000) !== 0 && (stats.mode & writableByOthers) !== 0) {
    const remedy = `specify a separate folder that only ${user} can write to`;
    throw untrusted({ path, stats, what: 'other users can add files to it', remedy });
  }
  if ((stats.mode & writableByOthers) !== 0) {
    throw untrusted({ path, stats, what: 'other users can change its content', remedy: `run: chmod go-w ${word}` });
  }
}

/**
 * Throws HookvisorError `untrusted` unless a file is regular, has only one name, belongs to root or the user of this
 * process, and nobody else can write to it. `stats` are those of an open descriptor.
 */
export function requirePrivateFile(path: string, stats: Stats): void {
  const word = shellQuote(path);
  const refuse = (what: string, remedy: string): never => {
    throw untrusted({ path, stats, what, remedy });
  };
  if (!stats.isFile()) refuse('it is not a regular file', `remove it: rm ${word}`);
  if (!isOurs(stats))
    refuse('its owner can change it', `make sure that it is yours, then run: chown ${thisUser()}: ${word}`);
  if ((stats.mode & writableByOthers) !== 0) refuse('other users can change it', `run: chmod go-w ${word}`);
  // A file that was deleted after it was opened has no name.
  if (stats.nlink > 1) {
    const copy = shellQuote(`${path}.copy`);
    const remedy = `make sure that it is yours, then replace it by a copy: cp -p ${word} ${copy} && mv ${copy} ${word}`;
    refuse(`it has ${stats.nlink} names (hard links), so it may be the file of another user`, remedy);
  }
}

/** Creates the error for a symbolic link instead of a file or folder. */
export function untrustedLink(path: string, kind: 'file' | 'folder', cause: unknown): HookvisorError {
  const remedy = kind === 'file' ? `remove it: rm ${shellQuote(path)}` : 'specify the folder that it points to';
  return new HookvisorError('untrusted', `Cannot use ${shown(path)}: it is a symbolic link; ${remedy}`, {
    cause,
    fields: { path, remedy },
  });
}

interface Untrusted {
  readonly path: string;
  readonly stats: Stats;
  readonly what: string;
  readonly remedy: string;
}

function untrusted({ path, stats: { uid, mode }, what, remedy }: Untrusted): HookvisorError {
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  const found = `it belongs to user ${uid} and has mode ${octal}: ${what}`;
  return new HookvisorError('untrusted', `Cannot use ${shown(path)}: ${found}; ${remedy}`, {
    fields: { path, uid, mode: octal, remedy },
  });
}

function shown(path: string): string {
  return `'${oneLine(path, shownChars)}'`;
}

function isOurs({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function thisUser(): string {
  const uid = process.geteuid?.() ?? 0;
  return uid === 0 ? 'root' : String(uid);
}
