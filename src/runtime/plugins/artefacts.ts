import type { Artefact } from '../../contract/artefact.js';
import type { Log } from '../log.js';
import type { Launcher } from '../isolation/launcher.js';
import { type Admission, createAdmission } from './admission.js';
import { pruneCache } from './cache-prune.js';
import { cacheName, createCache } from './cache.js';
import type { CacheKey } from './cache.js';

/** A plug-in to be admitted, and its maximum sizes. */
interface Plugin {
  readonly bytes: Buffer;
  readonly pluginBytes: number;
}

/** Provides admitted plug-ins, from the cache or by admitting them, each only once for all its handlers. */
export class Artefacts implements AsyncDisposable {
  readonly #admission: Admission;
  readonly #cache: ReturnType<typeof createCache>;
  readonly #pruned: Promise<void>;
  readonly #admitting = new Map<string, Promise<Artefact>>();

  constructor(folder: string, launcher: Launcher, log: Log) {
    this.#cache = createCache(folder, log);
    this.#pruned = pruneCache(folder, log);
    this.#admission = createAdmission(launcher);
  }

  /** Admissions in flight. */
  get admissions(): number {
    return this.#admission.running();
  }

  /** Returns an admitted plug-in. Throws HookvisorError with the code of the step that rejected it. */
  get(key: CacheKey, plugin: Plugin): Promise<Artefact> {
    const name = cacheName(key);
    const shared = this.#admitting.get(name);
    if (shared !== undefined) return shared;
    const admitted = this.#readOrAdmit(key, plugin).finally(() => this.#admitting.delete(name));
    this.#admitting.set(name, admitted);
    return admitted;
  }

  /** Terminates admissions in flight; their callers receive HookvisorError `closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pruned;
    await this.#admission[Symbol.asyncDispose]();
  }

  async #readOrAdmit(key: CacheKey, { bytes, pluginBytes }: Plugin): Promise<Artefact> {
    const cached = await this.#cache.read(key);
    if (cached !== null) return cached;
    const artefact = await this.#admission.admit({ ...key, bytes, pluginBytes });
    await this.#cache.write(key, artefact);
    return artefact;
  }
}
