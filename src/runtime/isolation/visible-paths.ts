import { existsSync } from 'node:fs';
import { findTool } from '../find-tool.js';

/** Where the system's libraries lie. */
const libraries = ['/usr/lib', '/usr/lib64', '/lib', '/lib64'];

/**
 * What exists for a process in a mount namespace of its own: the program, the libraries that it needs, what it may read, and
 * the tool that sets its limits. No /dev, /proc, /etc, /tmp: Node needs none of them.
 */
export function visiblePaths(confined: { command: readonly string[]; readable: readonly string[] }): string[] {
  const prlimit = findTool('prlimit');
  const program = confined.command.slice(0, 1);
  const wanted = [...libraries, ...(prlimit === null ? [] : [prlimit]), ...program, ...confined.readable];
  const present = wanted.filter((path) => existsSync(path));
  // What lies in a folder that is there already needs no mount of its own.
  return [...new Set(present)].filter((path) => !present.some((other) => path.startsWith(`${other}/`)));
}
