import { readFileSync, readlinkSync } from 'node:fs';
import { HookvisorError } from '../../contract/errors.js';

/** The first file descriptor that systemd passes, see sd_listen_fds(3). */
const firstDescriptor = 3;

/**
 * Returns the descriptor of the listening socket that systemd passed to this process; null when there is none. With
 * such a socket, hooks wait in its backlog while the runtime starts or restarts instead of failing. Throws
 * HookvisorError `usage` when it is not the configured socket, because hooks would never reach the runtime.
 */
export function inheritedSocket(path: string, env: NodeJS.ProcessEnv = process.env): number | null {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = env;
  if (pid !== String(process.pid) || !(Number(count) >= 1)) return null;
  const bound = pathOf(firstDescriptor);
  if (bound === path) return firstDescriptor;
  throw new HookvisorError(
    'usage',
    `Cannot listen on '${path}': systemd passed a socket at '${bound ?? 'no path'}'; ` +
      `use the same path for 'socket' in the configuration and ListenStream= in hookvisor.socket`,
    { fields: { socket: path, inherited: bound } },
  );
}

/** Finds the path of a unix socket in the list of the kernel: `Num RefCount Protocol Flags Type St Inode Path`. */
function pathOf(descriptor: number): string | null {
  try {
    const inode = /^socket:\[(\d+)\]$/u.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
    const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
    const line = lines.find((candidate) => inode !== undefined && candidate.trimStart().split(/\s+/u)[6] === inode);
    return line === undefined ? null : line.trimStart().split(/\s+/u).slice(7).join(' ');
  } catch {
    return null;
  }
}
