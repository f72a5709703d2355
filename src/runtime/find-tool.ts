import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Not $PATH: whoever sets the runtime's environment must not choose what starts its sandbox or locks its journal. */
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin'];

export type Tool = 'bwrap' | 'unshare' | 'setpriv' | 'prlimit' | 'sh' | 'flock';

/** Absolute path of a tool of the system, null when it is not installed. */
export function findTool(name: Tool): string | null {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next folder may have it.
    }
  }
  return null;
}
