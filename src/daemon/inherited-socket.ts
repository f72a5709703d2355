import { readFileSync, readlinkSync } from 'node:fs';
import { HookvisorError } from '../errors.js';

/** The first descriptor that systemd hands over, sd_listen_fds(3). */
const firstDescriptor = 3;

/**
 * The descriptor of the listening socket that systemd holds for this process; null when it holds none. Then hooks wait in its queue
 * while the runtime is started or replaced, where otherwise they would find nobody. Throws HookvisorError `usage` when it is
 * another socket than the configured one: the hooks of libvirt would never arrive.
 */
export function inheritedSocket(path: string, env: NodeJS.ProcessEnv = process.env): number | null {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = env;
  if (pid !== String(process.pid) || !(Number(count) >= 1)) return null;
  const bound = pathOf(firstDescriptor);
  if (bound === path) return firstDescriptor;
  throw new HookvisorError(
    'usage',
    `Cannot listen on '${path}': systemd handed over a socket at '${bound ?? 'no path'}'; ` +
      `let 'socket' in the configuration and ListenStream= in hookvisor.socket name the same path`,
    { fields: { socket: path, inherited: bound } },
  );
}

/** Where a unix socket is bound, as the kernel lists it: `Num RefCount Protocol Flags Type St Inode Path`. */
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
