import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';

/** Where everything is installed, as paths of the target system; they are the same below another root. */
export const places = {
  hooks: '/etc/libvirt/hooks',
  settings: '/etc/hookvisor',
  config: '/etc/hookvisor/hookvisor.yaml',
  unreachable: '/etc/hookvisor/unreachable',
  manifest: '/etc/hookvisor/manifest.json',
  adopted: '/etc/hookvisor/adopted/hooks',
  nodeClient: '/usr/libexec/hookvisor/hook-client.mjs',
  service: '/etc/systemd/system/hookvisor.service',
  socketUnit: '/etc/systemd/system/hookvisor.socket',
  scriptsDropIn: '/etc/systemd/system/hookvisor.service.d/50-scripts.conf',
} as const;

/** The name of the client when it is installed alongside an existing hook. */
export const besideName = '50-hookvisor';

/** The hook names of libvirt. */
export const hookNames = ['daemon', 'qemu', 'lxc', 'libxl', 'bhyve', 'network'] as const;
export type HookName = (typeof hookNames)[number];

/** The hooks that are installed by default. */
export const defaultHooks: readonly HookName[] = ['daemon', 'qemu', 'lxc', 'network'];

/** Returns the real path below `root` of a path of the target system. */
export function below(root: string, path: string): string {
  return join(root, path);
}

/**
 * Throws HookvisorError `usage` when a path below `root` leads out of it through a symbolic link: nothing outside of it
 * may be changed.
 */
export function assertBelow(root: string, path: string): void {
  if (root === '/') return;
  let folder = dirname(below(root, path));
  while (!existsSync(folder) && !isLink(folder)) folder = dirname(folder);
  const real = existsSync(folder) ? realpathSync(folder) : null;
  const top = realpathSync(root);
  if (real !== null && (real === top || real.startsWith(join(top, '/')))) return;
  throw new HookvisorError(
    'usage',
    `Cannot write '${path}' below '${root}': '${folder}' leads out of that folder; remove the symbolic link`,
    { fields: { root, path } },
  );
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
