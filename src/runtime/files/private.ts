import type { Stats } from 'node:fs';
import { HookvisorError } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import { shellQuote } from './shell-quote.js';

/** Longest path that a sentence shows; commands have it whole. */
const shownChars = 400;
const writableByOthers = 0o022;

/**
 * Throws HookvisorError `untrusted` unless a folder belongs to root or to this process' user, and nobody else may write to
 * it. `stats` are those of an open descriptor: what is judged is then what is used.
 */
export function requirePrivateFolder(path: string, stats: Stats): void {
  const [user, word] = [thisUser(), shellQuote(path)];
  if (!isOurs(stats)) {
    // A former owner may still hold files in it open, which no change of owner takes away.
    const mend = `mv ${word} ${shellQuote(`${path}.untrusted`)}`;
    throw untrusted({ path, stats, what: 'others may change what is in it', remedy: `move it away: ${mend}` });
  }
  if ((stats.mode & 0o1000) !== 0 && (stats.mode & writableByOthers) !== 0) {
    const remedy = `name a folder of its own, which only ${user} may write to`;
    throw untrusted({ path, stats, what: 'others may add files to it', remedy });
  }
  if ((stats.mode & writableByOthers) !== 0) {
    throw untrusted({ path, stats, what: 'others may change what is in it', remedy: `run: chmod go-w ${word}` });
  }
}

/**
 * Throws HookvisorError `untrusted` unless a file is a regular one, with no second name, that belongs to root or to this
 * process' user and that nobody else may write to. `stats` are those of an open descriptor.
 */
export function requirePrivateFile(path: string, stats: Stats): void {
  const word = shellQuote(path);
  const refuse = (what: string, remedy: string): never => {
    throw untrusted({ path, stats, what, remedy });
  };
  if (!stats.isFile()) refuse('it is not a regular file', `remove it: rm ${word}`);
  if (!isOurs(stats)) refuse('its owner may change it', `see that it is yours, then run: chown ${thisUser()}: ${word}`);
  if ((stats.mode & writableByOthers) !== 0) refuse('others may change it', `run: chmod go-w ${word}`);
  // A file that was deleted since it was opened has none.
  if (stats.nlink > 1) {
    const copy = shellQuote(`${path}.copy`);
    const remedy = `see that it is yours, then make it a file of its own: cp -p ${word} ${copy} && mv ${copy} ${word}`;
    refuse(`it has ${stats.nlink} names (hard links), so it may be somebody else's file`, remedy);
  }
}

/** The error for a symbolic link in the place of a file or a folder. */
export function untrustedLink(path: string, kind: 'file' | 'folder', cause: unknown): HookvisorError {
  const remedy = kind === 'file' ? `remove it: rm ${shellQuote(path)}` : 'name the folder that it points to';
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
