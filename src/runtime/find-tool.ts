import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Used instead of $PATH: the environment must not select the tools that start the sandbox or lock the journal. */
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin'];

export type Tool = 'bwrap' | 'unshare' | 'setpriv' | 'prlimit' | 'sh' | 'flock';

/** Returns the absolute path of a system tool; null if it is not installed. */
export function findTool(name: Tool): string | null {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Try the next folder.
    }
  }
  return null;
}
