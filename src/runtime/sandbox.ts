import type { Artefact } from '../contract/artefact.js';
import type { Backend, Handler } from './backend.js';
import type { HandlerConfig, SandboxSettings } from './config/config.js';
import { HookvisorError } from '../contract/errors.js';
import type { PathTrust } from './files/path-trust.js';
import type { Log } from './log.js';
import { Artefacts } from './plugins/artefacts.js';
import { encodeArtefact } from '../contract/artefact-codec.js';
import type { BreakerStatus } from './supervision/breaker.js';
import type { CacheKey } from './plugins/cache.js';
import type { Isolation } from './isolation/isolation.js';
import { createLauncher, type Launcher } from './isolation/launcher.js';
import { readPluginFile } from './plugins/plugin-file.js';
import type { Answer, Lost } from './supervision/runner.js';
import type { RunnerStatus } from './supervision/runner-status.js';
import { createSandboxedHandler } from './supervision/sandboxed-handler.js';
import { loadDeadlineMs } from './supervision/loaded-runner.js';
import { createSupervisor } from './supervision/supervisor.js';
import type { Supervisor } from './supervision/supervisor.js';

export interface SandboxStatus {
  readonly runners: readonly RunnerStatus[];
  readonly isolation: Isolation;
  /** Admissions in flight. */
  readonly admissions: number;
}

/** Admits and runs plug-ins in processes outside the runtime. */
export interface Sandbox extends AsyncDisposable {
  /** Returns the backend for one kind of plug-in. Its disposal does nothing: the processes belong to the sandbox. */
  backend(name: Artefact['backend']): Backend;
  status(): SandboxStatus;
  /** Returns the breaker of a handler that this sandbox has loaded; null for any other. */
  breaker(handler: Handler): BreakerStatus | null;
}

interface Group {
  readonly supervisor: Supervisor;
  /** Number of handlers that are loaded or loading. */
  users: number;
}

export interface SandboxOptions {
  /** Folder of the cache of admitted plug-ins. */
  readonly cache: string;
  readonly log: Log;
  /** Rejects plug-ins that other users can change, where their decisions count; otherwise, any file is accepted. */
  readonly trust?: PathTrust;
  /** Settings of the isolation; by default, the best mechanism that works on this host. */
  readonly settings?: SandboxSettings;
  /** The largest memory limit of its plug-ins. */
  readonly memoryBytes?: number;
}

/**
 * Opens a sandbox. Its processes start when handlers are loaded. Throws HookvisorError `isolation` if the host does not
 * offer the isolation that the settings require.
 */
export function createSandbox(options: SandboxOptions): Sandbox {
  return new PluginSandbox(options);
}

class PluginSandbox implements Sandbox {
  readonly #log: Log;
  readonly #trust: PathTrust | undefined;
  readonly #launcher: Launcher;
  readonly #artefacts: Artefacts;
  readonly #groups = new Map<string, Group>();
  readonly #handlers = new Map<Handler, () => BreakerStatus | null>();
  #disposal: Promise<void> | null = null;

  constructor({ cache, log, trust, settings, memoryBytes }: SandboxOptions) {
    this.#log = log;
    this.#trust = trust;
    this.#launcher = createLauncher(settings, memoryBytes);
    this.#artefacts = new Artefacts(cache, this.#launcher, log);
  }

  backend(name: Artefact['backend']): Backend {
    return {
      load: (config) => this.#load(name, config),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  breaker(handler: Handler): BreakerStatus | null {
    return this.#handlers.get(handler)?.() ?? null;
  }

  status(): SandboxStatus {
    return {
      runners: [...this.#groups.values()].map(({ supervisor }) => supervisor.status()),
      isolation: this.#launcher.isolation,
      admissions: this.#artefacts.admissions,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    await this.#artefacts[Symbol.asyncDispose]();
    await Promise.all([...this.#handlers.keys()].map((handler) => handler[Symbol.asyncDispose]()));
    // The remaining ones belong to loads in flight, which now fail.
    await Promise.all([...this.#groups.values()].map(({ supervisor }) => supervisor[Symbol.asyncDispose]()));
  }

  async #load(backend: Artefact['backend'], config: HandlerConfig): Promise<Handler> {
    this.#requireOpen(config);
    const { bytes, digest } = await readPluginFile(config, this.#trust);
    const key: CacheKey = { digest, backend, memoryBytes: config.limits.memoryBytes };
    const artefact = await this.#artefacts.get(key, { bytes, pluginBytes: config.pluginBytes });
    this.#requireOpen(config);
    const group = this.#join(config.trust);
    try {
      const guest = await loadGuest(group.supervisor, config, artefact);
      this.#requireOpen(config);
      const handler = createSandboxedHandler({
        supervisor: group.supervisor,
        guest,
        name: config.name,
        digest,
        deadlineMs: config.limits.deadlineMs,
        release: () => {
          this.#handlers.delete(handler);
          return this.#leave(config.trust, group);
        },
      });
      this.#handlers.set(handler, () => group.supervisor.breaker(guest));
      return handler;
    } catch (error) {
      await this.#leave(config.trust, group);
      throw error;
    }
  }

  #join(trust: string): Group {
    const options = { trust, log: this.#log, launcher: this.#launcher };
    const group = this.#groups.get(trust) ?? { supervisor: createSupervisor(options), users: 0 };
    this.#groups.set(trust, group);
    group.users += 1;
    return group;
  }

  async #leave(trust: string, group: Group): Promise<void> {
    group.users -= 1;
    if (group.users > 0) return;
    this.#groups.delete(trust);
    await group.supervisor[Symbol.asyncDispose]();
  }

  #requireOpen({ name }: HandlerConfig): void {
    if (this.#disposal === null) return;
    throw new HookvisorError('closed', `Cannot load handler '${name}': the sandbox is closed; start the runtime again`);
  }
}

/** Loads a plug-in into the runner of its trust group and lets it check its settings. */
async function loadGuest(supervisor: Supervisor, config: HandlerConfig, artefact: Artefact): Promise<number> {
  const guest = await supervisor.load({
    name: config.name,
    artefact: encodeArtefact(artefact),
    settings: config.settings,
    limits: config.limits,
  });
  if (typeof guest !== 'number') throw loadError(config, guest);
  if (!artefact.validates) return guest;
  const answer = await new Promise<Answer | Lost>((done) => {
    supervisor.submit({
      request: { kind: 'validate', handler: guest },
      tail: null,
      deadlineMs: loadDeadlineMs,
      done,
    });
  });
  const objection = objectionIn(answer);
  if (objection === null) return guest;
  supervisor.unload(guest);
  throw new HookvisorError(
    'plugin-settings',
    `Cannot load handler '${config.name}': the plug-in rejects its settings: ${objection}; correct 'settings'`,
    { fields: { handler: config.name, objection } },
  );
}

function objectionIn(answer: Answer | Lost): string | null {
  if ('failure' in answer) return `it could not check them, ${answer.message}`;
  if (answer.reply.kind === 'validated') return answer.reply.objection;
  return `it could not check them, ${answer.reply.kind === 'failed' ? answer.reply.message : 'wrong answer'}`;
}

function loadError({ name }: HandlerConfig, answer: Answer | Lost): HookvisorError {
  if (!('failure' in answer) && answer.reply.kind === 'failed') {
    return new HookvisorError(answer.reply.code, `Cannot load handler '${name}': ${answer.reply.message}`);
  }
  const what = 'failure' in answer ? answer.message : 'its runner sent a reply of the wrong kind';
  return new HookvisorError('runner', `Cannot load handler '${name}': ${what}; see the log of the runtime`);
}
