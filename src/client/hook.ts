import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Returns libvirt's hook name: this file's own name, or the part before `.d` in /etc/libvirt/hooks/qemu.d/50-x. */
export function driverOf(path: string): string {
  const folder = basename(dirname(path));
  return folder.length > 2 && folder.endsWith('.d') ? folder.slice(0, -2) : basename(path);
}

/** Returns the driver and the hook's arguments, separated by NUL. */
export function joinedWords(driver: string): Buffer {
  return process.argv.length > 2 ? Buffer.concat([Buffer.from(`${driver}\0`), hookArguments()]) : Buffer.from(driver);
}

/** Returns the arguments after the hook's path as bytes. process.argv has already lost whatever is not UTF-8. */
function hookArguments(): Buffer {
  const count = process.argv.length - 2;
  try {
    const all = readFileSync('/proc/self/cmdline');
    let from = all.length;
    for (let found = 0; found <= count; found++) from = all.lastIndexOf(0, from - 1);
    return all.subarray(from + 1, -1);
  } catch {
    return Buffer.from(process.argv.slice(2).join('\0'));
  }
}

/**
 * Returns whether a denial makes libvirt cancel the operation cleanly: no guest dies, and nothing is left half done.
 */
export function denialAborts(driver: string, [, operation = '', qualifier]: readonly string[]): boolean {
  if (qualifier !== 'begin' && qualifier !== 'before') return false;
  if (driver === 'daemon' || ['reconnect', 'started', 'attach'].includes(operation)) return false;
  return driver !== 'network' || !['updated', 'port-deleted'].includes(operation);
}
