import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const top = '/sys/fs/cgroup';

/** The cgroups that libvirt makes for containers: the only thing of a machine that is not in a namespace. */
function machineCgroups(): string[] {
  if (!existsSync(top)) return [];
  const hierarchies = [top, ...readdirSync(top).map((name) => join(top, name))];
  return hierarchies.map((folder) => join(folder, 'machine')).filter((path) => existsSync(path));
}

/** Notes what is there; the function that it gives removes what has come since and is empty. */
export function rememberCgroups(): () => void {
  const before = new Set(machineCgroups());
  return () => {
    for (const path of machineCgroups()) if (!before.has(path)) removeEmpty(path);
  };
}

function removeEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch {
    // Another libvirt has put something into it meanwhile.
  }
}
