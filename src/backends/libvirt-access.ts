import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bounds } from '../limits.js';
import { oneLine } from '../text.js';

/** A program with its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Begins what the wrapper says about itself on stderr; it is the shell's name for itself, too. */
const says = 'libvirt-access';

/** Where libvirt's daemons keep their sockets unless their configuration names another folder. */
const socketFolders = ['/run/libvirt', '/var/run/libvirt'];
const daemons = ['libvirtd', 'virtqemud', 'virtnetworkd', 'virtlxcd', 'virtproxyd', 'virtstoraged', 'virtnodedevd'];

/** The folders of session daemons lie below a user's runtime folder and cache; a pattern is the shell's to expand. */
const sessionFolders = '/run/user/*/libvirt /root/.cache/libvirt /home/*/.cache/libvirt';

/** Folders up to `--` are covered with an empty one that cannot be written to; then comes the command that replaces this shell. */
const script = `
mount=$(PATH=/usr/bin:/bin:/usr/sbin:/sbin command -v mount)
cover() {
  if [ -d "$1" ] && ! "$mount" -n -t tmpfs -o ro,size=4k,mode=755,nosuid,nodev,noexec none "$1"; then
    echo "${says}: '$1' cannot be hidden" >&2
    exit 125
  fi
}
while [ "$1" != -- ]; do cover "$1"; shift; done
shift
for folder in ${sessionFolders}; do cover "$folder"; done
exec "$@"
`;

/**
 * The command in a mount namespace in which libvirt's sockets do not exist, so that a call of libvirt fails at once where it would
 * hang. It keeps a script from deadlocking libvirt by mistake; a script of root's that wants out finds a way. Mounts
 * that it makes end with it. Needs root.
 */
export function withoutLibvirt({ file, args }: Command): Command {
  const folders = [...new Set([...socketFolders, ...configuredFolders()])];
  const shell = ['/bin/sh', '-c', script, says, ...folders, '--', file, ...args];
  return { file: findUnshare() ?? 'unshare', args: ['--mount', '--propagation', 'slave', '--', ...shell] };
}

/** Why {@link withoutLibvirt} does not work here, null when it does. */
export async function libvirtAccessProblem(): Promise<string | null> {
  const program = findUnshare();
  if (program === null) return "'unshare' is not installed; apt install util-linux";
  const { file, args } = withoutLibvirt({ file: '/bin/sh', args: ['-c', ':'] });
  const child = spawn(file, [...args], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 5_000, env: { LC_ALL: 'C' } });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => {
      resolve(null);
    });
    child.once('close', resolve);
  });
  const [said, status] = await Promise.all([text(child.stderr), ended]);
  if (status === 0) return null;
  const why = oneLine(said, bounds.reasonChars) || 'no mount namespace could be made';
  return `${why}; run as root where mount namespaces are permitted`;
}

/** What the wrapper said about a command that it could not start, null when it did start it. */
export function wrapperProblem(status: number | null, stderr: Buffer): string | null {
  if (status === null || status < 125) return null;
  const said = stderr.toString('utf8');
  return said.startsWith(`${says}: `) || said.startsWith('unshare: ') ? oneLine(said, bounds.reasonChars) : null;
}

/** `unix_sock_dir` of libvirt's daemons, which are read anew each time: an administrator may change them. */
function configuredFolders(): string[] {
  return daemons.flatMap((daemon) => {
    try {
      const found = /^\s*unix_sock_dir\s*=\s*"(\/[^"]+)"/mu.exec(
        readFileSync(`/etc/libvirt/${daemon}.conf`, 'utf8'),
      )?.[1];
      return found === undefined || found === '/' || found === '--' ? [] : [found];
    } catch {
      return [];
    }
  });
}

function findUnshare(): string | null {
  for (const folder of ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']) {
    const path = join(folder, 'unshare');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next folder may have it.
    }
  }
  return null;
}
