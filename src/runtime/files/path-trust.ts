import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Distrust } from './distrust.js';
import { type TrustedOwner, trustedOwner } from './trusted-owner.js';

/** What a path came to. */
export interface ExaminedPath {
  /** The path without symbolic links, as far as it could be followed. */
  readonly real: string;
  /** What is there; null when nothing is, or when it cannot be looked at: `error` says why. */
  readonly stats: Stats | null;
  readonly error: unknown;
  /** Everything on the path that others may change; empty for a path that may be trusted. */
  readonly distrust: readonly Distrust[];
}

/** What else is accepted of a path. */
export interface Allowance {
  /** Its last folder may be sticky: what matters is a single entry of it, which others can neither rename nor remove. */
  readonly sticky?: boolean;
  /** Folders above it may be writable by a system's group, as Ubuntu's /var/log is by `syslog`. */
  readonly systemGroups?: boolean;
}

/** Examines paths during one load: what it has looked at once, it does not look at again. */
export interface PathTrust {
  /**
   * Walks a path as the kernel does, one component at a time, links included: each must belong to root or to this
   * process' user, and nobody else may write to it. Never rejects.
   */
  examine(path: string, allowance?: Allowance): Promise<ExaminedPath>;
  /** Judges what is open, by its fstat(2). */
  judge(path: string, stats: Stats): Distrust | null;
}

/** As the kernel's, path_resolution(7). */
const mostLinks = 40;
/** Groups below it belong to the system, login.defs(5). */
const firstUserGroup = 1_000;
const groupWrite = 0o020;
const otherWrite = 0o002;

/** Creates an examiner without any knowledge yet. Use one for each load: a verdict holds for that only. */
export function createPathTrust(owner: TrustedOwner = trustedOwner()): PathTrust {
  const examiner = new Examiner(owner);
  return {
    examine: (path, allowance = {}) => examiner.examine(path, allowance),
    judge: (path, stats) => examiner.judge(path, stats),
  };
}

class Examiner {
  readonly #owner: TrustedOwner;
  readonly #looks = new Map<string, Promise<Stats>>();

  constructor(owner: TrustedOwner) {
    this.#owner = owner;
  }

  judge(path: string, stats: Stats, tolerated = false): Distrust | null {
    const foreign = stats.uid !== 0 && stats.uid !== this.#owner.uid;
    // A link has no mode of its own.
    const writers = tolerated || stats.isSymbolicLink() ? 'none' : this.#writersOf(stats);
    if (!foreign && writers === 'none') return null;
    return this.#distrustOf(path, stats, { owner: foreign, writers, vacant: false });
  }

  async examine(path: string, allowance: Allowance): Promise<ExaminedPath> {
    const distrust = new Map<string, Distrust>();
    const note = (found: Distrust | null): void => {
      if (found !== null) distrust.set(found.path, found);
    };
    const ended = (real: string, stats: Stats | null, error: unknown = null): ExaminedPath => {
      return { real, stats, error, distrust: [...distrust.values()] };
    };
    // Not normalized: after a link, '..' is not where the text says.
    const left = componentsOf(isAbsolute(path) ? path : `${process.cwd()}/${path}`);
    let at = '/';
    let stats = await this.#look(at);
    note(this.judge(at, stats, isTolerated(stats, allowance)));
    let links = 0;
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const next = name === '..' ? dirname(at) : join(at, name);
      const found = await this.#look(next).catch((error: unknown) => ({ error }));
      if ('error' in found) {
        // Whoever may add entries to a sticky folder decides what will be here.
        if (isSticky(stats) && this.#writersOf(stats) !== 'none') {
          note(this.#distrustOf(next, stats, { owner: false, writers: 'none', vacant: true }));
        }
        return ended(join(next, ...left.reverse()), null, found.error);
      }
      if (found.isSymbolicLink()) {
        const problem = this.judge(next, found);
        note(problem);
        links += 1;
        if (problem !== null || links > mostLinks) return ended(next, null, tooManyLinks(next));
        const target = await readlink(next).catch(() => '');
        left.push(...componentsOf(target));
        if (!target.startsWith('/')) continue;
        at = '/';
        stats = await this.#look(at);
      } else {
        at = next;
        stats = found;
        note(this.judge(at, stats, isTolerated(stats, allowance)));
      }
    }
    // What is tolerated above a path is not at its end.
    if (stats.isDirectory() && !(isSticky(stats) && allowance.sticky === true)) note(this.judge(at, stats));
    return ended(at, stats);
  }

  #look(path: string): Promise<Stats> {
    const known = this.#looks.get(path) ?? lstat(path);
    this.#looks.set(path, known);
    return known;
  }

  /** Whether somebody else may add, rename or remove entries, or write to a file. */
  #writersOf({ mode, gid }: Stats): Distrust['writers'] {
    if ((mode & otherWrite) !== 0) return 'everybody';
    return (mode & groupWrite) !== 0 && !this.#owner.isOwnGroup(gid) ? 'group' : 'none';
  }

  #distrustOf(path: string, stats: Stats, problem: Pick<Distrust, 'owner' | 'writers' | 'vacant'>): Distrust {
    return {
      path,
      ...problem,
      uid: stats.uid,
      gid: stats.gid,
      mode: stats.mode & 0o7777,
      kind: stats.isSymbolicLink() ? 'link' : stats.isDirectory() ? 'folder' : 'file',
      trusted: this.#owner.uid,
    };
  }
}

/** The components of a path, last first, as a stack. */
function componentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reverse();
}

/** Writers above a path that do no harm: in a sticky folder they cannot rename or remove what belongs to others. */
function isTolerated(stats: Stats, { systemGroups = false }: Allowance): boolean {
  if (!stats.isDirectory()) return false;
  if (isSticky(stats)) return true;
  return systemGroups && stats.uid === 0 && (stats.mode & otherWrite) === 0 && stats.gid < firstUserGroup;
}

function isSticky({ mode }: Stats): boolean {
  return (mode & 0o1000) !== 0;
}

function tooManyLinks(path: string): Error {
  return Object.assign(new Error(`ELOOP: too many symbolic links, '${path}'`), { code: 'ELOOP' });
}
