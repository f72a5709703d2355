import { readFileSync } from 'node:fs';
import { HookvisorError } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import { readAccounts, readGroups } from './accounts.js';
import { shellQuote } from './shell-quote.js';

/** Something on a path that others than root and the process' user may change. */
export interface Distrust {
  /** Without symbolic links above it. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, with set-user-ID, set-group-ID and sticky. */
  readonly mode: number;
  /** Whether its owner is somebody else. */
  readonly owner: boolean;
  /** Who else may write to it. */
  readonly writers: 'none' | 'group' | 'everybody';
  /** Whether nothing is there yet and others may create it; owner and mode are then its folder's. */
  readonly vacant: boolean;
  /** The user beside root who may own it. */
  readonly trusted: number;
}

/** Whose use of a path it is, such as `handlers.site`, and what is wrong with it. */
export interface DistrustedUse {
  readonly use: string;
  readonly distrust: Distrust;
}

/** Longest path that a sentence shows; commands have it whole. */
const shownChars = 400;

/** Says what is so, in a sentence part: path, owner, mode, and who may change it. */
export function distrustText(distrust: Distrust): string {
  const { path, uid, mode, writers, gid, vacant } = distrust;
  const shown = `'${oneLine(path, shownChars)}'`;
  const octal = mode.toString(8).padStart(4, '0');
  if (vacant) return `${shown} does not exist, and others may create it (its folder has mode ${octal})`;
  const who = [
    ...(distrust.owner ? ['its owner'] : []),
    ...(writers === 'everybody' ? ['everybody'] : []),
    ...(writers === 'group' ? [`group ${groupName(gid)}${gid === 0 ? ' or an access control list' : ''}`] : []),
  ].join(' and ');
  const unknown = isUnknownOwner(distrust)
    ? ` (this user namespace shows every owner that it does not know as uid ${uid}, the host's root too)`
    : '';
  return `${shown} belongs to ${userName(uid)} and has mode ${octal}: ${who} may change it${unknown}`;
}

/** Says how to mend it: a command, or what to do where a command would do harm. */
export function distrustRemedy(distrust: Distrust): string {
  const { path, kind, uid, mode, owner, writers, vacant, trusted } = distrust;
  const word = shellQuote(path);
  const user = trusted === 0 ? 'root' : (nameOf(trusted) ?? String(trusted));
  if (vacant) return `create it, as ${user}, or name a path in a folder that only ${user} may write to`;
  if (isUnknownOwner(distrust)) return 'run it outside of the user namespace, or map the owner into that';
  // Taking somebody's home folder away, or /tmp from everybody, would be worse.
  if (owner && readAccounts().some((one) => one.uid === uid && one.home === path)) {
    return `move what is used to a folder that belongs to ${user}, such as /etc/hookvisor`;
  }
  if (kind === 'folder' && writers !== 'none' && (mode & 0o1000) !== 0)
    return `name a folder of its own, not ${word} itself`;
  const commands = [
    ...(owner ? [`chown ${kind === 'link' ? '-h ' : ''}${user}: ${word}`] : []),
    ...(writers === 'none' ? [] : [`chmod go-w ${word}`]),
  ];
  return `run '${commands.join(' && ')}'`;
}

/** Returns each path once, sorted, with everything that uses it in words. */
export function joinUses(found: readonly DistrustedUse[]): { distrust: Distrust; uses: string }[] {
  const byPath = new Map<string, { distrust: Distrust; uses: Set<string> }>();
  for (const { use, distrust } of found) {
    const known = byPath.get(distrust.path) ?? { distrust, uses: new Set() };
    known.uses.add(use);
    byPath.set(distrust.path, known);
  }
  const sorted = [...byPath.values()].sort((a, b) => (a.distrust.path < b.distrust.path ? -1 : 1));
  return sorted.map(({ distrust, uses }) => ({ distrust, uses: usesText([...uses]) }));
}

/** The error for what is not to be used: `Cannot <action>: <what is so>; <what to do>`, and a line for each path. */
export function distrustError(action: string, found: readonly DistrustedUse[]): HookvisorError {
  const what =
    'other users can change files that Hookvisor runs or trusts; inspect these files for changes that you did not make, then run the commands below';
  const lines = joinUses(found).map(
    ({ uses, distrust }) => `${uses}: ${distrustText(distrust)}; ${distrustRemedy(distrust)}`,
  );
  return new HookvisorError('untrusted', `Cannot ${action}: ${what}\n${lines.join('\n')}`, {
    fields: { problems: lines.length },
  });
}

function usesText(uses: readonly string[]): string {
  const more = uses.length - 3;
  return `${uses.slice(0, 3).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function nameOf(uid: number): string | undefined {
  return readAccounts().find((one) => one.uid === uid)?.name;
}

function userName(uid: number): string {
  const name = nameOf(uid);
  return name === undefined ? `uid ${uid}` : `${oneLine(name, 64)} (uid ${uid})`;
}

function groupName(gid: number): string {
  const name = readGroups().find((one) => one.gid === gid)?.name;
  return name === undefined ? `gid ${gid}` : `${oneLine(name, 64)} (gid ${gid})`;
}

/** In a user namespace an owner outside of it, even the host's root, appears as the overflow user, user_namespaces(7). */
function isUnknownOwner({ owner, uid }: Distrust): boolean {
  if (!owner || String(uid) !== kernelText('/proc/sys/kernel/overflowuid')) return false;
  return !/^0 0 4294967295$/u.test(kernelText('/proc/self/uid_map').replace(/\s+/gu, ' '));
}

function kernelText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
