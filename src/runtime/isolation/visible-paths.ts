import { existsSync } from 'node:fs';
import { findTool } from '../find-tool.js';

/** Folders of the system libraries. */
const libraries = ['/usr/lib', '/usr/lib64', '/lib', '/lib64'];

/**
 * Returns what a process can see in its mount namespace: the program, its libraries, what it may read, and the tool
 * that sets its limits. There is no /dev, /proc, /etc or /tmp: Node needs none of them.
 */
export function visiblePaths(confined: { command: readonly string[]; readable: readonly string[] }): string[] {
  const prlimit = findTool('prlimit');
  const program = confined.command.slice(0, 1);
  const wanted = [...libraries, ...(prlimit === null ? [] : [prlimit]), ...program, ...confined.readable];
  const present = wanted.filter((path) => existsSync(path));
  // A path inside a visible folder needs no separate mount.
  return [...new Set(present)].filter((path) => !present.some((other) => path.startsWith(`${other}/`)));
}
