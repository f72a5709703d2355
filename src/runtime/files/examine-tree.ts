import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Distrust } from './distrust.js';
import type { PathTrust } from './path-trust.js';

/** The files at a path and below it. */
export interface ExaminedTree {
  /** Everything that other users can change. */
  readonly distrust: readonly Distrust[];
  /** Regular files that only root and the user of this process can change, with symbolic links resolved. */
  readonly files: readonly string[];
}

/** Examines a path and, if it is a folder, its content, at most `depth` folders deep. Follows links. */
export async function examineTree(path: string, depth: number, trust: PathTrust): Promise<ExaminedTree> {
  const { real, stats, distrust } = await trust.examine(path);
  if (stats?.isDirectory() !== true || depth === 0) {
    return { distrust, files: stats?.isFile() === true && distrust.length === 0 ? [real] : [] };
  }
  // A file that cannot be read here cannot be used, either.
  const names = await readdir(path).catch(() => []);
  const entries = await Promise.all(names.map((name) => examineTree(join(path, name), depth - 1, trust)));
  return {
    distrust: [...distrust, ...entries.flatMap((entry) => entry.distrust)],
    files: entries.flatMap((entry) => entry.files),
  };
}
