import { dirname } from 'node:path';
import { asUser, isRoot, unprivileged, userChoices, withoutPrivileges } from './drop-privileges.js';
import type { UserChoice } from './drop-privileges.js';
import type { Confined, Mechanism, Ways } from './mechanism.js';
import { lacksOfLimits, limited } from './rlimits.js';
import { findTool } from './tools.js';
import { visiblePaths } from './visible-paths.js';

/** Namespaces by bubblewrap. Root gives the process a user of its own; others do it in a user namespace. */
export function bubblewrap(): Ways {
  const bwrap = findTool('bwrap');
  if (bwrap === null) return { reason: 'bubblewrap is not installed; apt install bubblewrap' };
  const setpriv = findTool('setpriv');
  if (!isRoot()) {
    // Older releases do not know --disable-userns, which takes away a large part of the kernel.
    return [inUserNamespace([bwrap, '--disable-userns']), inUserNamespace([bwrap])];
  }
  if (setpriv === null) return { reason: 'setpriv is not installed; apt install util-linux' };
  const [own, shared] = userChoices;
  return [asRoot(bwrap, setpriv, own), asRoot(bwrap, setpriv, shared)];
}

const common = [
  ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
  ...['--hostname', 'sandbox', '--die-with-parent', '--clearenv', '--cap-drop', 'ALL'],
];

function inUserNamespace(bwrap: readonly string[]): Mechanism {
  return {
    name: 'bubblewrap',
    lacks: [...lacksOfLimits('own-namespace'), 'own-user'],
    wrap: (confined) => [
      ...bwrap,
      ...['--unshare-user', '--uid', String(unprivileged), '--gid', String(unprivileged)],
      ...common,
      ...files(confined),
      '--',
      ...limited(confined.limits, 'own-namespace'),
      ...confined.command,
    ],
  };
}

/** Without a user namespace: in one, a process of root's would still be root's to the kernel. */
function asRoot(bwrap: string, setpriv: string, { users, pick }: UserChoice): Mechanism {
  return {
    name: 'bubblewrap',
    lacks: [...lacksOfLimits(users), ...(users === 'own' ? [] : (['own-user'] as const))],
    wrap: (confined) => [
      ...[bwrap, ...common],
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
  // bubblewrap gives a folder that it has to make itself to its maker alone.
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
