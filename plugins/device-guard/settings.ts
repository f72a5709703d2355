import { settings } from 'hookvisor/guest';

/** What the administrator sets; settings.schema.json says the same. */
export interface Settings {
  /** Absolute, without a slash at the end. */
  readonly folders: readonly string[];
  readonly allowHostDevices: boolean;
  readonly allowCommandline: boolean;
}

/** Reads the settings. Throws an Error that says which one is wrong and what is expected. */
export function readSettings(): Settings {
  const {
    folders = ['/var/lib/libvirt/images'],
    allowHostDevices = false,
    allowCommandline = false,
    ...unknown
  } = settings();
  const [first] = Object.keys(unknown);
  if (first !== undefined) {
    throw new Error(`unknown setting '${first}'; expected folders, allowHostDevices or allowCommandline`);
  }
  if (!Array.isArray(folders) || !folders.every(isFolder)) {
    throw new Error("folders must be a list of absolute paths without '..' and without a slash at the end");
  }
  if (typeof allowHostDevices !== 'boolean') throw new Error('allowHostDevices must be true or false');
  if (typeof allowCommandline !== 'boolean') throw new Error('allowCommandline must be true or false');
  return { folders, allowHostDevices, allowCommandline };
}

function isFolder(value: unknown): value is string {
  return typeof value === 'string' && /^(?:\/[^/]+)+$/u.test(value) && !value.split('/').includes('..');
}
