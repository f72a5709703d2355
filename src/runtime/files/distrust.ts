import { readFileSync } from 'node:fs';
import { HookvisorError } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import { readAccounts, readGroups } from './accounts.js';
import { shellQuote } from './shell-quote.js';

/** A part of a path that users other than root and the user of this process can change. */
export interface Distrust {
  /** The path, with symbolic links above it resolved. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, including set-user-ID, set-group-ID and sticky. */
  readonly mode: number;
  /** Whether its owner is another user. */
  readonly owner: boolean;
  /** Who else can write to it. */
  readonly writers: 'none' | 'group' | 'everybody';
  /** Whether it does not exist yet and other users can create it; owner and mode are then those of its folder. */
  readonly vacant: boolean;
  /** The trusted owner besides root. */
  readonly trusted: number;
}

/** What uses a path, such as `handlers.site`, and what is wrong with the path. */
export interface DistrustedUse {
  readonly use: string;
  readonly distrust: Distrust;
}

/** Maximum length of a path in a sentence; commands contain the whole path. */
const shownChars = 400;

/** Describes the problem as part of a sentence: path, owner, mode, and who can change it. */
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
    ? ` (this user namespace shows all unmapped owners, including the root of the host, as uid ${uid})`
    : '';
  return `${shown} belongs to ${userName(uid)} and has mode ${octal}: ${who} may change it${unknown}`;
}

/** Returns the remedy: a command, or an instruction where a command would do harm. */
export function distrustRemedy(distrust: Distrust): string {
  const { path, kind, uid, mode, owner, writers, vacant, trusted } = distrust;
  const word = shellQuote(path);
  const user = trusted === 0 ? 'root' : (nameOf(trusted) ?? String(trusted));
  if (vacant) return `create it, as ${user}, or specify a path in a folder that only ${user} can write to`;
  if (isUnknownOwner(distrust)) return 'run it outside of the user namespace, or map the owner into the namespace';
  // Changing the owner of a home folder, or the mode of /tmp, would do more harm.
  if (owner && readAccounts().some((one) => one.uid === uid && one.home === path)) {
    return `move the files to a folder that belongs to ${user}, such as /etc/hookvisor`;
  }
  if (kind === 'folder' && writers !== 'none' && (mode & 0o1000) !== 0)
    return `specify a separate folder instead of ${word}`;
  const commands = [
    ...(owner ? [`chown ${kind === 'link' ? '-h ' : ''}${user}: ${word}`] : []),
    ...(writers === 'none' ? [] : [`chmod go-w ${word}`]),
  ];
  return `run '${commands.join(' && ')}'`;
}

/** Returns each path once, sorted, with a description of everything that uses it. */
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

/** Creates the error for distrusted paths: `Cannot <action>: <what is so>; <what to do>`, and a line for each path. */
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

/** In a user namespace, unmapped owners, even the root of the host, appear as the overflow user: user_namespaces(7). */
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
