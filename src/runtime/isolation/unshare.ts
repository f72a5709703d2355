import { asUser, isRoot, mortal, userChoices, withoutPrivileges } from './drop-privileges.js';
import type { UserChoice } from './drop-privileges.js';
import type { Confined, Mechanism, Ways } from './mechanism.js';
import { lacksOfLimits, limited } from './rlimits.js';
import { findTool } from '../find-tool.js';
import { visiblePaths } from './visible-paths.js';

/**
 * Creates a new root on a tmpfs. Arguments: paths to show, `--`, then the command that replaces this shell. /sys only
 * serves as a mount point; the tools of the old root, which read its /proc, are used until it is unmounted.
 */
const script = `
PATH=/usr/bin:/bin:/usr/sbin:/sbin
umask 022
mount -t tmpfs -o mode=755,size=1m,nosuid,nodev none /sys
cd /sys
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p ".$1"; else mkdir -p ".\${1%/*}"; : > ".$1"; fi
  mount --bind "$1" ".$1"
  mount -o remount,bind,ro,nosuid,nodev ".$1"
  shift
done
shift
mkdir .old
ln -s .old/proc proc
mount=$(command -v mount)
umount=$(command -v umount)
pivot_root . .old
cd /
"/.old$mount" -n -o remount,bind,ro /
"/.old$umount" -n -l /.old
exec "$@"
`;

/** Isolates with util-linux alone. Few systems have a release whose setpriv supports system call filters. */
export function unshare(): Ways {
  const [tool, setpriv, sh] = [findTool('unshare'), findTool('setpriv'), findTool('sh')];
  if (tool === null || setpriv === null || sh === null) {
    return { reason: 'unshare and setpriv are not installed; apt install util-linux' };
  }
  const tools = { unshare: tool, setpriv, sh };
  if (!isRoot()) return [inUserNamespace(tools)];
  const [own, shared] = userChoices;
  return [asRoot(tools, own), asRoot(tools, shared)];
}

interface Tools {
  readonly unshare: string;
  readonly setpriv: string;
  readonly sh: string;
}

const apart = ['--mount', '--net', '--pid', '--ipc', '--uts', '--fork', '--kill-child=KILL'];

function asRoot({ unshare: tool, setpriv, sh }: Tools, { users, pick }: UserChoice): Mechanism {
  return {
    name: 'unshare',
    filter: null,
    lacks: ['fewer-system-calls', ...lacksOfLimits(users), ...(users === 'own' ? [] : (['own-user'] as const))],
    wrap: (confined) => [
      ...[setpriv, ...mortal, tool, ...apart, '--'],
      ...inOwnRoot(sh, { ...confined, readable: [...confined.readable, setpriv] }),
      ...[setpriv, ...asUser(pick()), ...withoutPrivileges, '--', setpriv, ...mortal],
      ...limited(confined.limits, users),
      ...confined.command,
    ],
  };
}

/** Mounting requires root in the user namespace. Outside, the process is its own user, without capabilities. */
function inUserNamespace({ unshare: tool, setpriv, sh }: Tools): Mechanism {
  return {
    name: 'unshare',
    filter: null,
    lacks: ['fewer-system-calls', ...lacksOfLimits('own-namespace'), 'own-user'],
    wrap: (confined) => [
      ...[setpriv, ...mortal, tool, '--user', '--map-root-user', ...apart, '--'],
      ...inOwnRoot(sh, { ...confined, readable: [...confined.readable, setpriv] }),
      ...[setpriv, ...withoutPrivileges, '--', setpriv, ...mortal],
      ...limited(confined.limits, 'own-namespace'),
      ...confined.command,
    ],
  };
}

function inOwnRoot(sh: string, confined: Confined): string[] {
  return [sh, '-euc', script, 'sandbox', ...visiblePaths(confined), '--'];
}
