import { lstatSync } from 'node:fs';
import { findLibvirtDaemons, runsHook } from '../libvirt-daemons.js';
import { findLibvirt, runsHookFolders } from '../libvirt-version.js';
import { readManifest } from '../manifest.js';
import { below } from '../places.js';
import type { InstalledHook } from './check-hooks.js';
import type { SeenEvent } from './check-journal.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** Checks version and daemons of libvirt by running its programs: a running libvirt might hang, so it is not asked. */
export async function checkLibvirt(installed: readonly InstalledHook[]): Promise<Finding[]> {
  const check = 'libvirt';
  const { version, daemons } = await findLibvirt();
  if (version === null) return [warn(check, 'libvirt was not found', 'apt install libvirt-daemon-system')];
  const findings = [ok(check, `${version} (${daemons.join(', ')})`)];
  const beside = installed.filter(({ path }) => path.includes('.d/'));
  if (beside.length > 0 && runsHookFolders(version) === false) {
    const names = beside.map(({ path }) => `'${path}'`).join(', ');
    findings.push(fail(check, `${version} does not run ${names}`, 'run hookvisor install --adopt'));
  }
  return findings;
}

/** Checks that running daemons know the hooks: each looks for hooks only when it starts or reloads. */
export function checkTold(installed: readonly InstalledHook[], events: readonly SeenEvent[]): Finding[] {
  const check = 'libvirt told';
  const daemons = findLibvirtDaemons();
  const toldMs = readManifest('/')?.toldMs ?? 0;
  if (daemons.length === 0) return [ok(check, 'no libvirt daemon is running; the next one will find the hooks')];
  return daemons.flatMap((daemon) => {
    const { name, pid, startedMs } = daemon;
    const reloadedMs = Math.max(0, ...events.filter(({ driver }) => driver === 'daemon').map(({ time }) => time));
    const untold = installed.filter(({ driver, path }) => {
      if (!runsHook(daemon, driver)) return false;
      // libvirt runs a replaced file without a reload. It needs one only for a new hook, and an event proves that it knows it.
      const appearedMs = lstatSync(below('/', path)).birthtimeMs;
      const seen = events.some((event) => event.driver === driver && event.time >= startedMs);
      return appearedMs > Math.max(startedMs, reloadedMs, toldMs) && !seen;
    });
    if (untold.length === 0) return [ok(check, `${name} (pid ${pid}) knows the hooks`)];
    const drivers = untold.map(({ driver }) => driver).join(', ');
    const found = `${name} (pid ${pid}) started before the hooks of ${drivers} were installed and may not know them`;
    return [warn(check, found, `systemctl reload ${name}, or kill -HUP ${pid}`)];
  });
}
