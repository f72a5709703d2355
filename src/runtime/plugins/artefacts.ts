import type { Artefact } from '../../contract/artefact.js';
import type { Log } from '../log.js';
import type { Launcher } from '../isolation/launcher.js';
import { type Admission, createAdmission } from './admission.js';
import { pruneCache } from './cache-prune.js';
import { cacheName, createCache } from './cache.js';
import type { CacheKey } from './cache.js';

/** A plugin to be admitted, and the largest that it may be. */
interface Plugin {
  readonly bytes: Buffer;
  readonly pluginBytes: number;
}

/** Admitted plugins: from the cache, or else admitted now, each once however many handlers ask for it. */
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

  /** Admissions under way. */
  get admissions(): number {
    return this.#admission.running();
  }

  /** Throws HookvisorError with the code of the step that refused the plugin. */
  get(key: CacheKey, plugin: Plugin): Promise<Artefact> {
    const name = cacheName(key);
    const shared = this.#admitting.get(name);
    if (shared !== undefined) return shared;
    const admitted = this.#readOrAdmit(key, plugin).finally(() => this.#admitting.delete(name));
    this.#admitting.set(name, admitted);
    return admitted;
  }

  /** Ends admissions under way; their callers get HookvisorError `closed`. */
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
