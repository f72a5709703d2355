import { lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../contract/error-code.js';
import { messageOf } from '../../contract/errors.js';
import { createPathTrust } from '../files/path-trust.js';
import type { Log } from '../log.js';
import { artefactEnding, cachePrefix } from './cache.js';

const hour = 3_600_000;
const day = 24 * hour;

/** What a cache keeps. Uses by all runtimes count. */
export interface PruneBounds {
  /** Age since the last use after which entries of this version are removed. */
  readonly unusedMs: number;
  /** The same for entries of other versions of admission or Node; runtimes use their entries at start-up. */
  readonly otherVersionMs: number;
  /** Age after which temporary files are removed: their writers have died. */
  readonly temporaryMs: number;
  /** Maximum total size; the least recently used entries are removed first. */
  readonly totalBytes: number;
  /** Entries used this recently are kept regardless of the size: their runtime may be starting. */
  readonly recentMs: number;
  /** Maximum number of names examined in one run. */
  readonly names: number;
}

export const pruneBounds: PruneBounds = {
  unusedMs: 30 * day,
  otherVersionMs: 7 * day,
  temporaryMs: hour,
  totalBytes: 1024 * 1024 * 1024,
  recentMs: hour,
  names: 20_000,
};

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly unusedMs: number;
}

/**
 * Removes expired entries. Only touches files that the cache wrote, and no folder that other users can change. Never
 * throws.
 */
export async function pruneCache(folder: string, log: Log, bounds: PruneBounds = pruneBounds): Promise<void> {
  try {
    if ((await createPathTrust().examine(folder)).distrust.length > 0) return;
    const entries = await entriesOf(folder, bounds.names);
    const stale = entries.filter((entry) => isStale(entry, bounds));
    const kept = entries.filter((entry) => !stale.includes(entry));
    for (const { path } of [...stale, ...surplus(kept, bounds)]) await rm(path, { force: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    log('warn', `Cannot prune the cache '${folder}': ${messageOf(error)}; make it writable, or it keeps growing`);
  }
}

async function entriesOf(folder: string, most: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  const now = Date.now();
  for await (const { name } of await opendir(folder)) {
    if (!isOurs(name)) continue;
    const path = join(folder, name);
    // Another runtime may have just removed it.
    const stats = await lstat(path).catch(() => null);
    if (stats?.isFile() === true) entries.push({ path, name, size: stats.size, unusedMs: now - stats.mtimeMs });
    if (entries.length >= most) break;
  }
  return entries;
}

const isOurs = (name: string): boolean =>
  /^(?:[\w.-]*[0-9a-f]{64}\.artefact(?:\.[0-9a-f]{16}\.tmp)?|key\.[0-9a-f]{16}\.tmp)$/u.test(name);

function isStale({ name, unusedMs }: Entry, bounds: PruneBounds): boolean {
  if (!name.endsWith(artefactEnding)) return unusedMs > bounds.temporaryMs;
  return unusedMs > (name.startsWith(cachePrefix) ? bounds.unusedMs : bounds.otherVersionMs);
}

/** Returns the entries to remove because of the total size, least recently used first. */
function surplus(entries: readonly Entry[], { totalBytes, recentMs }: PruneBounds): Entry[] {
  let total = entries.reduce((sum, { size }) => sum + size, 0);
  const going: Entry[] = [];
  for (const entry of [...entries].sort((a, b) => b.unusedMs - a.unusedMs)) {
    if (total <= totalBytes || entry.unusedMs <= recentMs) break;
    going.push(entry);
    total -= entry.size;
  }
  return going;
}
