import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { constants, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artefact } from '../../contract/artefact.js';
import { hasCode } from '../../contract/error-code.js';
import { messageOf } from '../../contract/errors.js';
import { distrustRemedy, distrustText } from '../files/distrust.js';
import { createPathTrust } from '../files/path-trust.js';
import type { Log } from '../log.js';
import { artefactBytes, decodeArtefact, encodeArtefact } from '../../contract/artefact-codec.js';
import { admissionVersion } from '../../contract/admission-version.js';
import { makeCacheKey, readCacheKey } from './cache-key.js';
import { readBounded } from './read-bounded.js';
import { digestInSlices } from './digest.js';

/** What an artefact depends on, in addition to the versions of admission, Node and V8. */
export interface CacheKey {
  /** sha256 of the plug-in, hex. */
  readonly digest: string;
  readonly backend: Artefact['backend'];
  readonly memoryBytes: number;
}

/** Admitted plug-ins on disk. The cache only saves time: its errors are logged, never thrown. */
export interface ArtefactCache {
  /** Returns an artefact; null if there is none, or if it is damaged. */
  read(key: CacheKey): Promise<Artefact | null>;
  write(key: CacheKey, artefact: Artefact): Promise<void>;
}

const sealBytes = 32;
export const artefactEnding = '.artefact';
/** Incremented when the format of entries changes. */
const cacheFormat = 'k1';
/** Prefix of the name of every entry that this version of admission, Node and V8 can use. */
export const cachePrefix = [
  cacheFormat,
  admissionVersion,
  process.versions.node.split('.')[0],
  process.versions.v8,
  '',
].join('_');

/**
 * Opens the cache in a folder, which is created by the first write. Several runtimes can share it. Entries are
 * authenticated with a key that only this user can read, before anything else in them is parsed: a user who could once
 * write to the folder can remove entries, but not forge them. A folder that others can write to now is not used.
 */
export function createCache(folder: string, log: Log): ArtefactCache {
  const pathOf = (key: CacheKey): string => join(folder, `${cacheName(key)}${artefactEnding}`);
  let secret: Buffer | null = null;

  /** Returns the key; `make` creates the folder and the key. Null if the cache cannot be used. */
  const keyFor = async (make: boolean): Promise<Buffer | null> => {
    if (secret !== null) return secret;
    await refuseUntrusted(folder);
    if (make && (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await refuseUntrusted(folder);
    secret = (await readCacheKey(folder)) ?? (make ? await makeCacheKey(folder) : null);
    return secret;
  };

  return {
    async read(key) {
      const path = pathOf(key);
      try {
        const sealing = await keyFor(false);
        if (sealing === null) return null;
        // Pruning depends on the time of the last use.
        const bytes = await readEntry(path);
        const content = bytes.subarray(sealBytes);
        const isWhole = isSealed(bytes.subarray(0, sealBytes), await seal(sealing, cacheName(key), content));
        const artefact = isWhole ? decodeArtefact(content) : null;
        if (artefact?.digest === key.digest && artefact.backend === key.backend) return artefact;
        const what = 'it is damaged, or was not written by a runtime of this user';
        log('warn', `Cannot use '${path}': ${what}; the plug-in is admitted again and the file replaced`);
      } catch (error) {
        if (!hasCode(error, 'ENOENT'))
          log('warn', `Cannot read '${path}': ${messageOf(error)}; the plug-in is admitted again`);
      }
      return null;
    },
    async write(key, artefact) {
      const path = pathOf(key);
      try {
        const sealing = await keyFor(true);
        if (sealing === null) throw new Error(`its key '${join(folder, 'key')}' cannot be replaced`);
        const content = encodeArtefact(artefact);
        await writeAtomically(path, [await seal(sealing, cacheName(key), content), content]);
      } catch (error) {
        const hint = 'make the folder writable, so that the next start is faster';
        log('warn', `Cannot cache an admitted plug-in in '${folder}': ${messageOf(error)}; ${hint}`);
      }
    },
  };
}

/** Throws if other users can change the folder, or could create it first. */
async function refuseUntrusted(folder: string): Promise<void> {
  const [first] = (await createPathTrust().examine(folder)).distrust;
  if (first !== undefined) throw new Error(`${distrustText(first)}; ${distrustRemedy(first)}`);
}

/** Reads an entry and marks it as used. Ignores links and files of an impossible size. */
async function readEntry(path: string): Promise<Buffer> {
  const read = await readBounded(path, sealBytes + artefactBytes, async () => {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    // In a read-only folder, the times stay as they are.
    await file.utimes(new Date(), new Date()).catch(() => undefined);
    return file;
  });
  return read.found === 'file' ? read.bytes : Buffer.alloc(0);
}

/** Also authenticates the name of an entry, so that the entry of another plug-in cannot take its place. */
function seal(key: Buffer, name: string, content: Buffer): Promise<Buffer> {
  return digestInSlices(createHmac('sha256', key).update(name).update('\0'), content);
}

function isSealed(found: Buffer, wanted: Buffer): boolean {
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}

/** Returns the name of an entry. Plug-ins with the same name share one admission. */
export function cacheName(key: CacheKey): string {
  const parts = [key.digest, key.backend, key.memoryBytes];
  return cachePrefix + createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function writeAtomically(path: string, parts: readonly Buffer[]): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
