import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Project } from '../build/project.js';

/** Folders that builds and package managers change. */
const notSources = new Set(['build', 'node_modules', '.git', 'target']);

/** Tells whether a path below a project belongs to a build, a package manager or a version control system. */
export function isGenerated(path: string): boolean {
  return notSources.has(path.split(sep)[0] ?? '');
}

/** Tells whether a plug-in may depend on a file: not on cases, documentation and the list of packages. */
export function isSource(path: string): boolean {
  return !/\.ya?ml$|\.md$|(?:^|\/)package(?:-lock)?\.json$|(?:^|\/)\.[^/]*$/u.test(path);
}

/** Returns a source that has changed since the plug-in was built, as a path below the project; null if there is none. */
export async function changedSource({ folder, output }: Project): Promise<string | null> {
  const built = await stat(output).catch(() => null);
  if (built === null) return null;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file);
    if (!entry.isFile() || file === output || isGenerated(path) || !isSource(path)) continue;
    if ((await stat(file)).mtimeMs > built.mtimeMs) return path;
  }
  return null;
}
