import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artefact } from '../../backends/artefact.js';
import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { admissionVersion } from './admission-version.js';
import { sha256InSlices } from '../digest.js';
import { decodeArtefact, encodeArtefact } from '../protocol/artefact-codec.js';

/** What an artefact depends on. The versions of admission, Node and V8 are added here. */
export interface CacheKey {
  /** sha256 of the plugin, hex. */
  readonly digest: string;
  readonly backend: Artefact['backend'];
  readonly memoryBytes: number;
}

/** Admitted plugins on disk. It only ever saves work: whatever is wrong with it is logged, never thrown. */
export interface ArtefactCache {
  /** Null when there is none, or none that is whole. */
  read(key: CacheKey): Promise<Artefact | null>;
  write(key: CacheKey, artefact: Artefact): Promise<void>;
}

const digestBytes = 32;
export const artefactEnding = '.artefact';
/** Begins the name of every entry that this version of admission, Node and V8 can use. */
export const cachePrefix = [admissionVersion, process.versions.node.split('.')[0], process.versions.v8, ''].join('_');

/** Opens the cache in a folder, which is made when it is first written to. Safe with several runtimes at a time. */
export function createCache(folder: string, log: Log): ArtefactCache {
  const pathOf = (key: CacheKey): string => join(folder, `${cacheName(key)}${artefactEnding}`);
  return {
    async read(key) {
      const path = pathOf(key);
      try {
        const bytes = await readFile(path);
        const content = bytes.subarray(digestBytes);
        const isWhole = (await sha256InSlices(content)).equals(bytes.subarray(0, digestBytes));
        const artefact = isWhole ? decodeArtefact(content) : null;
        if (artefact?.digest === key.digest && artefact.backend === key.backend) {
          // Pruning goes by it. A folder that is only read keeps its times.
          await utimes(path, new Date(), new Date()).catch(() => undefined);
          return artefact;
        }
        log('warn', `Cannot use '${path}': it is damaged; the plugin is admitted again and the file replaced`);
      } catch (error) {
        if (!isMissing(error)) log('warn', `Cannot read '${path}': ${messageOf(error)}; the plugin is admitted again`);
      }
      return null;
    },
    async write(key, artefact) {
      const path = pathOf(key);
      const content = encodeArtefact(artefact);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeAtomically(path, [await sha256InSlices(content), content]);
      } catch (error) {
        const hint = 'make the folder writable to start faster next time';
        log('warn', `Cannot keep an admitted plugin in '${folder}': ${messageOf(error)}; ${hint}`);
      }
    },
  };
}

/** The name under which an artefact is kept; also tells whether two plugins share one admission. */
export function cacheName(key: CacheKey): string {
  const parts = [key.digest, key.backend, key.memoryBytes];
  return cachePrefix + sha256(Buffer.from(JSON.stringify(parts))).toString('hex');
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

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
