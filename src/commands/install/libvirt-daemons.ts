import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A running libvirt daemon, from /proc. */
export interface LibvirtDaemon {
  readonly name: string;
  readonly pid: number;
  /** Start time in milliseconds since the Unix epoch, precise to a hundredth of a second. */
  readonly startedMs: number;
}

/** Which daemons run which hooks; the monolithic libvirtd runs all of them. */
const hooksOf: Readonly<Record<string, readonly string[]>> = {
  libvirtd: ['daemon', 'qemu', 'lxc', 'libxl', 'bhyve', 'network'],
  virtqemud: ['daemon', 'qemu'],
  virtlxcd: ['daemon', 'lxc'],
  virtxend: ['daemon', 'libxl'],
  virtbhyved: ['daemon', 'bhyve'],
  virtnetworkd: ['daemon', 'network'],
};

/** Tells whether a daemon runs the hook of a driver. */
export function runsHook({ name }: LibvirtDaemon, driver: string): boolean {
  return hooksOf[name]?.includes(driver) ?? false;
}

/** Finds the daemons that run hooks in the PID namespace of this process; those in containers do not count. */
export function findLibvirtDaemons(): LibvirtDaemon[] {
  const here = namespaceOf('self');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      try {
        const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
        if (!(name in hooksOf) || namespaceOf(pid) !== here) return [];
        return [{ name, pid: Number(pid), startedMs: startOf(pid) }];
      } catch {
        // The process has exited, or belongs to another user.
        return [];
      }
    });
}

/** Makes daemons look for new hooks, with the signal that `systemctl reload` sends. */
export function reloadLibvirt(daemons: readonly LibvirtDaemon[]): void {
  for (const { pid } of daemons) process.kill(pid, 'SIGHUP');
}

function namespaceOf(pid: string): string {
  return readlinkSync(`/proc/${pid}/ns/pid`);
}

/** Field 22 of /proc/PID/stat counts clock ticks since boot; Linux shows a hundred of them a second. */
function startOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const boot = Number(/^btime (\d+)$/mu.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
  return boot * 1_000 + ticks * 10;
}
