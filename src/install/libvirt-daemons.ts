import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A running daemon of libvirt's, as it appears in /proc. */
export interface LibvirtDaemon {
  readonly name: string;
  readonly pid: number;
  /** When it was started, milliseconds since the Unix epoch; precise to a hundredth of a second. */
  readonly startedMs: number;
}

/** Which daemons run which hooks; the one daemon of old runs them all. */
const hooksOf: Readonly<Record<string, readonly string[]>> = {
  libvirtd: ['daemon', 'qemu', 'lxc', 'libxl', 'bhyve', 'network'],
  virtqemud: ['daemon', 'qemu'],
  virtlxcd: ['daemon', 'lxc'],
  virtxend: ['daemon', 'libxl'],
  virtbhyved: ['daemon', 'bhyve'],
  virtnetworkd: ['daemon', 'network'],
};

/** Whether a daemon runs the hook of a driver. */
export function runsHook({ name }: LibvirtDaemon, driver: string): boolean {
  return hooksOf[name]?.includes(driver) ?? false;
}

/** The daemons that run hooks, in this process's PID namespace: those in containers are none of ours. */
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
        // It has ended meanwhile, or belongs to somebody else.
        return [];
      }
    });
}

/** Has daemons look for new hooks, by the signal that `systemctl reload` sends them. */
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
