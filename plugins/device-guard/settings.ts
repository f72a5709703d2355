import { settings } from 'hookvisor/guest';

/** The settings; settings.schema.json describes the same. */
export interface Settings {
  /** Absolute paths without a trailing slash. */
  readonly folders: readonly string[];
  readonly allowHostDevices: boolean;
  readonly allowCommandline: boolean;
}

/** Reads the settings. Throws an Error that names the wrong setting and what is expected. */
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
