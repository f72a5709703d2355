import { dirname } from 'node:path';
import { asUser, isRoot, unprivileged, userChoices, withoutPrivileges } from './drop-privileges.js';
import type { UserChoice } from './drop-privileges.js';
import type { Protection } from './isolation.js';
import type { Confined, Mechanism, Ways } from './mechanism.js';
import { lacksOfLimits, limited } from './rlimits.js';
import { filterDescriptor, seccompFilter } from './seccomp.js';
import { findTool } from '../find-tool.js';
import { visiblePaths } from './visible-paths.js';

/** Isolates with bubblewrap. Root gives each process its own user; other users need a user namespace. */
export function bubblewrap(): Ways {
  const bwrap = findTool('bwrap');
  if (bwrap === null) return { reason: 'bubblewrap is not installed; apt install bubblewrap' };
  const setpriv = findTool('setpriv');
  if (!isRoot()) {
    // Older releases lack --disable-userns, which removes a large part of the kernel's attack surface.
    return withAndWithout((filter) => [
      inUserNamespace([bwrap, '--disable-userns'], filter),
      inUserNamespace([bwrap], filter),
    ]);
  }
  if (setpriv === null) return { reason: 'setpriv is not installed; apt install util-linux' };
  const [own, shared] = userChoices;
  return withAndWithout((filter) => [
    asRoot({ bwrap, setpriv, filter }, own),
    asRoot({ bwrap, setpriv, filter }, shared),
  ]);
}

/** Omits the filter only if none exists for this architecture, or the kernel rejects it. */
function withAndWithout(
  ways: (filter: Buffer | null) => readonly [Mechanism, Mechanism],
): readonly [Mechanism, ...Mechanism[]] {
  const filter = seccompFilter();
  return filter === null ? ways(null) : [...ways(filter), ...ways(null)];
}

/** bubblewrap installs the filter just before it executes the command, and closes the descriptor. */
function filtered(filter: Buffer | null): { words: string[]; lacks: Protection[] } {
  return filter === null
    ? { words: [], lacks: ['fewer-system-calls'] }
    : { words: ['--seccomp', String(filterDescriptor)], lacks: [] };
}

const common = [
  ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
  ...['--hostname', 'sandbox', '--die-with-parent', '--clearenv', '--cap-drop', 'ALL'],
];

function inUserNamespace(bwrap: readonly string[], filter: Buffer | null): Mechanism {
  const { words, lacks } = filtered(filter);
  return {
    name: 'bubblewrap',
    filter,
    lacks: [...lacks, ...lacksOfLimits('own-namespace'), 'own-user'],
    wrap: (confined) => [
      ...bwrap,
      ...['--unshare-user', '--uid', String(unprivileged), '--gid', String(unprivileged)],
      ...[...common, ...words],
      ...files(confined),
      '--',
      ...limited(confined.limits, 'own-namespace'),
      ...confined.command,
    ],
  };
}

interface ForRoot {
  readonly bwrap: string;
  readonly setpriv: string;
  readonly filter: Buffer | null;
}

/** Avoids a user namespace, in which a process of root would still be root to the kernel. */
function asRoot({ bwrap, setpriv, filter }: ForRoot, { users, pick }: UserChoice): Mechanism {
  const { words, lacks } = filtered(filter);
  return {
    name: 'bubblewrap',
    filter,
    lacks: [...lacks, ...lacksOfLimits(users), ...(users === 'own' ? [] : (['own-user'] as const))],
    wrap: (confined) => [
      ...[bwrap, ...common, ...words],
      ...['SETUID', 'SETGID', 'SETPCAP'].flatMap((name) => ['--cap-add', `CAP_${name}`]),
      ...files({ ...confined, readable: [...confined.readable, setpriv] }),
      ...['--', setpriv, ...asUser(pick()), ...withoutPrivileges, '--'],
      ...limited(confined.limits, users),
      ...confined.command,
    ],
  };
}

function files({ readable, command }: Confined): string[] {
  const paths = visiblePaths({ readable, command });
  // bubblewrap creates missing folders with access for their creator only.
  const folders = new Set(paths.flatMap((path) => ancestors(path)));
  return [
    ...[...folders].sort().flatMap((path) => ['--perms', '0755', '--dir', path]),
    ...paths.flatMap((path) => ['--ro-bind', path, path]),
    ...['--remount-ro', '/', '--chdir', '/'],
  ];
}

function ancestors(path: string): string[] {
  const folder = dirname(path);
  return folder === '/' ? [] : [...ancestors(folder), folder];
}
