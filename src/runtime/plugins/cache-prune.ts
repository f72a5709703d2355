import { lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../contract/error-code.js';
import { messageOf } from '../../contract/errors.js';
import { createPathTrust } from '../files/path-trust.js';
import type { Log } from '../log.js';
import { artefactEnding, cachePrefix } from './cache.js';

const hour = 3_600_000;
const day = 24 * hour;

/** What a cache may keep. Every use of an entry counts, by whichever runtime. */
export interface PruneBounds {
  /** Entries of this version that nobody used for so long go. */
  readonly unusedMs: number;
  /** So do those of other versions of admission or Node: a runtime that needs one has used it when it started. */
  readonly otherVersionMs: number;
  /** Files of writers that died. */
  readonly temporaryMs: number;
  /** Of all entries together; the longest unused go first. */
  readonly totalBytes: number;
  /** What was used this lately stays, whatever the size: its runtime may be about to start. */
  readonly recentMs: number;
  /** Names looked at in one go. */
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
 * Removes what a cache need not keep. It touches nothing that the cache did not write, nor a folder that others may change,
 * and never throws.
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
    log('warn', `Cannot tidy up '${folder}': ${messageOf(error)}; it may grow until the runtime may write there`);
  }
}

async function entriesOf(folder: string, most: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  const now = Date.now();
  for await (const { name } of await opendir(folder)) {
    if (!isOurs(name)) continue;
    const path = join(folder, name);
    // Another runtime may have removed it just now.
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

/** Those that have to go for the size, longest unused first. */
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
