import type { Artefact } from '../backends/artefact.js';
import type { Backend, Handler } from '../backends/backend.js';
import type { HandlerConfig, SandboxSettings } from '../config/config.js';
import { HookvisorError } from '../errors.js';
import type { PathTrust } from '../files/path-trust.js';
import type { Log } from '../log.js';
import { createAdmission } from './admission/admission.js';
import { encodeArtefact } from './protocol/artefact-codec.js';
import type { BreakerStatus } from './supervision/breaker.js';
import { pruneCache } from './admission/cache-prune.js';
import { cacheName, createCache } from './admission/cache.js';
import type { CacheKey } from './admission/cache.js';
import type { Isolation } from './isolation/isolation.js';
import { createLauncher } from './isolation/launcher.js';
import { readPluginFile } from './admission/plugin-file.js';
import type { Answer, Lost } from './supervision/runner.js';
import type { RunnerStatus } from './supervision/runner-status.js';
import { createSandboxedHandler } from './supervision/sandboxed-handler.js';
import { loadDeadlineMs } from './supervision/loaded-runner.js';
import { createSupervisor } from './supervision/supervisor.js';
import type { Supervisor } from './supervision/supervisor.js';

export interface SandboxStatus {
  readonly runners: readonly RunnerStatus[];
  readonly isolation: Isolation;
  /** Admissions under way. */
  readonly admissions: number;
}

/** Where plugins are admitted and run, away from the runtime. */
export interface Sandbox extends AsyncDisposable {
  /** The backend for one kind of plugin. Disposing it does nothing: the processes belong to the sandbox. */
  backend(name: Artefact['backend']): Backend;
  status(): SandboxStatus;
  /** The breaker of a handler that this sandbox has loaded, null of any other. */
  breaker(handler: Handler): BreakerStatus | null;
}

/** A plugin to be admitted, and the largest that it may be. */
interface Plugin {
  readonly bytes: Buffer;
  readonly pluginBytes: number;
}

interface Group {
  readonly supervisor: Supervisor;
  /** Handlers that are loaded in it or about to be. */
  users: number;
}

export interface SandboxOptions {
  /** Folder of admitted plugins. */
  readonly cache: string;
  readonly log: Log;
  /** Refuses plugins that others may change, where what they decide counts; without it any file is read. */
  readonly trust?: PathTrust;
  /** How processes are kept apart; the best that works here unless it says otherwise. */
  readonly settings?: SandboxSettings;
  /** Largest memory that one of its plugins may have. */
  readonly memoryBytes?: number;
}

/**
 * Opens a sandbox. No process of it is started before a handler is loaded. Throws HookvisorError `isolation` when its
 * processes cannot be kept apart as the settings require.
 */
export function createSandbox({ cache: folder, log, trust, settings, memoryBytes }: SandboxOptions): Sandbox {
  const launcher = createLauncher(settings, memoryBytes);
  const cache = createCache(folder, log);
  const pruned = pruneCache(folder, log);
  const admission = createAdmission(launcher);
  const groups = new Map<string, Group>();
  const handlers = new Map<Handler, () => BreakerStatus | null>();
  const admitting = new Map<string, Promise<Artefact>>();
  let disposal: Promise<void> | null = null;

  const artefactOf = (key: CacheKey, { bytes, pluginBytes }: Plugin): Promise<Artefact> => {
    const name = cacheName(key);
    const shared = admitting.get(name);
    if (shared !== undefined) return shared;
    const fresh = async (): Promise<Artefact> => {
      const cached = await cache.read(key);
      if (cached !== null) return cached;
      const artefact = await admission.admit({ ...key, bytes, pluginBytes });
      await cache.write(key, artefact);
      return artefact;
    };
    const admitted = fresh().finally(() => admitting.delete(name));
    admitting.set(name, admitted);
    return admitted;
  };

  const join = (trust: string): Group => {
    const group = groups.get(trust) ?? { supervisor: createSupervisor({ trust, log, launcher }), users: 0 };
    groups.set(trust, group);
    group.users += 1;
    return group;
  };
  const leave = async (trust: string, group: Group): Promise<void> => {
    group.users -= 1;
    if (group.users > 0) return;
    groups.delete(trust);
    await group.supervisor[Symbol.asyncDispose]();
  };

  const load = async (backend: Artefact['backend'], config: HandlerConfig): Promise<Handler> => {
    throwIfClosed(disposal !== null, config);
    const { bytes, digest } = await readPluginFile(config, trust);
    const key: CacheKey = { digest, backend, memoryBytes: config.limits.memoryBytes };
    const artefact = await artefactOf(key, { bytes, pluginBytes: config.pluginBytes });
    throwIfClosed(disposal !== null, config);
    const group = join(config.trust);
    try {
      const guest = await loadGuest(group.supervisor, config, artefact);
      throwIfClosed(disposal !== null, config);
      const handler = createSandboxedHandler({
        supervisor: group.supervisor,
        guest,
        name: config.name,
        digest,
        deadlineMs: config.limits.deadlineMs,
        release: () => {
          handlers.delete(handler);
          return leave(config.trust, group);
        },
      });
      handlers.set(handler, () => group.supervisor.breaker(guest));
      return handler;
    } catch (error) {
      await leave(config.trust, group);
      throw error;
    }
  };

  const dispose = async (): Promise<void> => {
    await pruned;
    await admission[Symbol.asyncDispose]();
    await Promise.all([...handlers.keys()].map((handler) => handler[Symbol.asyncDispose]()));
    // Those left are of loads under way, which fail now.
    await Promise.all([...groups.values()].map(({ supervisor }) => supervisor[Symbol.asyncDispose]()));
  };

  return {
    backend: (name) => ({
      load: (config) => load(name, config),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    breaker: (handler) => handlers.get(handler)?.() ?? null,
    status: () => ({
      runners: [...groups.values()].map(({ supervisor }) => supervisor.status()),
      isolation: launcher.isolation,
      admissions: admission.running(),
    }),
    [Symbol.asyncDispose]: () => (disposal ??= dispose()),
  };
}

/** Loads a plugin into its group's runner and lets it check its settings. */
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
      request: { request: 'validate', handler: guest },
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
    `Cannot load handler '${config.name}': its plugin refuses the settings: ${objection}; correct 'settings'`,
    { fields: { handler: config.name, objection } },
  );
}

function objectionIn(answer: Answer | Lost): string | null {
  if ('failure' in answer) return `it could not check them, ${answer.message}`;
  if (answer.reply.reply === 'validated') return answer.reply.objection;
  return `it could not check them, ${answer.reply.reply === 'failed' ? answer.reply.message : 'wrong answer'}`;
}

function loadError({ name }: HandlerConfig, answer: Answer | Lost): HookvisorError {
  if (!('failure' in answer) && answer.reply.reply === 'failed') {
    return new HookvisorError(answer.reply.code, `Cannot load handler '${name}': ${answer.reply.message}`);
  }
  const what = 'failure' in answer ? answer.message : 'its runner gave an answer of another kind';
  return new HookvisorError('runner', `Cannot load handler '${name}': ${what}; look at the runtime's log`);
}

function throwIfClosed(closed: boolean, { name }: HandlerConfig): void {
  if (!closed) return;
  throw new HookvisorError('closed', `Cannot load handler '${name}': the sandbox is closed; start the runtime again`);
}
