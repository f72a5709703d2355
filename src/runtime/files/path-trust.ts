import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Distrust } from './distrust.js';
import { type TrustedOwner, trustedOwner } from './trusted-owner.js';

/** The result of examining a path. */
export interface ExaminedPath {
  /** The path with symbolic links resolved, as far as possible. */
  readonly real: string;
  /** The file at the path; null if there is none or it is not accessible: `error` says why. */
  readonly stats: Stats | null;
  readonly error: unknown;
  /** Everything on the path that other users can change; empty for a trusted path. */
  readonly distrust: readonly Distrust[];
}

/** Relaxed requirements. */
export interface Allowance {
  /** Its last folder may be sticky: only one entry of it matters, which other users can neither rename nor remove. */
  readonly sticky?: boolean;
  /** Folders above it may be writable by a system group, such as /var/log on Ubuntu by `syslog`. */
  readonly systemGroups?: boolean;
}

/** Examines paths during one load. Examines each path only once. */
export interface PathTrust {
  /**
   * Walks a path like the kernel, one component at a time, including links: each must belong to root or the user of this
   * process, and nobody else may have write access. Never rejects.
   */
  examine(path: string, allowance?: Allowance): Promise<ExaminedPath>;
  /** Examines an open file, from its fstat(2). */
  judge(path: string, stats: Stats): Distrust | null;
}

/** Maximum number of links, as in the kernel: path_resolution(7). */
const mostLinks = 40;
/** Lower group IDs belong to the system: login.defs(5). */
const firstUserGroup = 1_000;
const groupWrite = 0o020;
const otherWrite = 0o002;

/** Creates an examiner with an empty cache. Use a new one for each load: results are only valid for that long. */
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
    // The mode of a link has no meaning.
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
    // Not normalized: after a link, '..' is not the parent in the text.
    const left = componentsOf(isAbsolute(path) ? path : `${process.cwd()}/${path}`);
    let at = '/';
    let stats = await this.#look(at);
    note(this.judge(at, stats, isTolerated(stats, allowance)));
    let links = 0;
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const next = name === '..' ? dirname(at) : join(at, name);
      const found = await this.#look(next).catch((error: unknown) => ({ error }));
      if ('error' in found) {
        // Any user who can add entries to a sticky folder can create this path.
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
    // Tolerated above a path, but not at its end.
    if (stats.isDirectory() && !(isSticky(stats) && allowance.sticky === true)) note(this.judge(at, stats));
    return ended(at, stats);
  }

  #look(path: string): Promise<Stats> {
    const known = this.#looks.get(path) ?? lstat(path);
    this.#looks.set(path, known);
    return known;
  }

  /** Tells whether another user can add, rename or remove entries, or write to a file. */
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

/** Returns the components of a path, last first, as a stack. */
function componentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reverse();
}

/** Tells whether writers above a path are harmless: in a sticky folder, they cannot rename or remove files of others. */
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
