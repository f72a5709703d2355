import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface BuildCacheOptions {
  /** The cache's own folder. */
  readonly folder: string;
  /** What the build depends on, as the name of a file. */
  readonly key: string;
  /** So many builds stay: those that were used last. */
  readonly keep: number;
  readonly build: () => Promise<Buffer>;
}

/** What was built by this key before, or is built now. Several processes may ask for the same at a time. */
export async function builtOnce({ folder, key, keep, build }: BuildCacheOptions): Promise<Buffer> {
  const file = join(folder, key);
  const cached = await readFile(file).catch(() => null);
  if (cached !== null) {
    const now = new Date();
    // Pruning goes by it. A cache of somebody else's keeps its times.
    await utimes(file, now, now).catch(() => undefined);
    return cached;
  }
  const bytes = await build();
  await mkdir(folder, { recursive: true });
  // Each puts a whole file in place.
  const unfinished = await mkdtemp(join(folder, unfinishedPrefix));
  await writeFile(join(unfinished, 'build'), bytes);
  await rename(join(unfinished, 'build'), file);
  await rm(unfinished, { recursive: true });
  await prune(folder, keep);
  return bytes;
}

const unfinishedPrefix = 'unfinished-';
const hourMs = 3_600_000;

/** Removes what was used longest ago, and what a process that died has left. */
async function prune(folder: string, keep: number): Promise<void> {
  const entries = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      const usedAt = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      return { path, usedAt, unfinished: name.startsWith(unfinishedPrefix) };
    }),
  );
  const abandoned = entries.filter(({ unfinished, usedAt }) => unfinished && usedAt < Date.now() - hourMs);
  const builds = entries.filter(({ unfinished }) => !unfinished).sort((a, b) => b.usedAt - a.usedAt);
  for (const { path } of [...abandoned, ...builds.slice(keep)]) await rm(path, { recursive: true, force: true });
}
