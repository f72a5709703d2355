import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Distrust } from './distrust.js';
import type { PathTrust } from './path-trust.js';

/** What there is at a path and below it. */
export interface ExaminedTree {
  /** Everything that others may change. */
  readonly distrust: readonly Distrust[];
  /** Regular files, without symbolic links in their paths, that only root and this process' user may change. */
  readonly files: readonly string[];
}

/** Examines a path and, as far as it is a folder, what is in it, at most `depth` folders deep; links are followed. */
export async function examineTree(path: string, depth: number, trust: PathTrust): Promise<ExaminedTree> {
  const { real, stats, distrust } = await trust.examine(path);
  if (stats?.isDirectory() !== true || depth === 0) {
    return { distrust, files: stats?.isFile() === true && distrust.length === 0 ? [real] : [] };
  }
  // What cannot be read here cannot be used, either.
  const names = await readdir(path).catch(() => []);
  const entries = await Promise.all(names.map((name) => examineTree(join(path, name), depth - 1, trust)));
  return {
    distrust: [...distrust, ...entries.flatMap((entry) => entry.distrust)],
    files: entries.flatMap((entry) => entry.files),
  };
}
