import { lstatSync } from 'node:fs';
import { findLibvirtDaemons, runsHook } from '../libvirt-daemons.js';
import { findLibvirt, runsHookFolders } from '../libvirt-version.js';
import { readManifest } from '../manifest.js';
import { below } from '../places.js';
import type { InstalledHook } from './check-hooks.js';
import type { SeenEvent } from './check-journal.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** libvirt's version and daemons, as their programs say it: no running libvirt is asked, it might hang. */
export async function checkLibvirt(installed: readonly InstalledHook[]): Promise<Finding[]> {
  const check = 'libvirt';
  const { version, daemons } = await findLibvirt();
  if (version === null) return [warn(check, 'no libvirt was found here', 'apt install libvirt-daemon-system')];
  const findings = [ok(check, `${version} (${daemons.join(', ')})`)];
  const beside = installed.filter(({ path }) => path.includes('.d/'));
  if (beside.length > 0 && runsHookFolders(version) === false) {
    const names = beside.map(({ path }) => `'${path}'`).join(', ');
    findings.push(fail(check, `${version} does not run ${names}`, 'run hookvisor install --adopt'));
  }
  return findings;
}

/** Whether the daemons that run know of the hooks: each remembers from its start, or from a reload, which ones exist. */
export function checkTold(installed: readonly InstalledHook[], events: readonly SeenEvent[]): Finding[] {
  const check = 'libvirt told';
  const daemons = findLibvirtDaemons();
  const toldMs = readManifest('/')?.toldMs ?? 0;
  if (daemons.length === 0) return [ok(check, 'no libvirt daemon runs, the next one will find the hooks')];
  return daemons.flatMap((daemon) => {
    const { name, pid, startedMs } = daemon;
    const reloadedMs = Math.max(0, ...events.filter(({ driver }) => driver === 'daemon').map(({ time }) => time));
    const untold = installed.filter(({ driver, path }) => {
      if (!runsHook(daemon, driver)) return false;
      // Replacing a file is seen at once; only its first appearance has to be told, and an event proves that it was.
      const appearedMs = lstatSync(below('/', path)).birthtimeMs;
      const seen = events.some((event) => event.driver === driver && event.time >= startedMs);
      return appearedMs > Math.max(startedMs, reloadedMs, toldMs) && !seen;
    });
    if (untold.length === 0) return [ok(check, `${name} (pid ${pid}) knows the hooks`)];
    const drivers = untold.map(({ driver }) => driver).join(', ');
    const found = `${name} (pid ${pid}) was started before the hooks of ${drivers} appeared, and may not know them`;
    return [warn(check, found, `systemctl reload ${name}, or kill -HUP ${pid}`)];
  });
}
