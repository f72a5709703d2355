import { performance } from 'node:perf_hooks';
import type { Backend } from './backend.js';
import { createScriptBackend } from './scripts/script.js';
import type { Config, SandboxSettings } from './config/config.js';
import type { BackendName } from '../contract/backend-name.js';
import { createBudget } from './dispatch/budget.js';
import { runChain } from './dispatch/chain.js';
import { linkHandlersInSlices } from './dispatch/loaded-handler.js';
import { createRouterInSlices } from './dispatch/router.js';
import type { Verdict } from '../contract/verdict.js';
import type { HookCall } from '../contract/event.js';
import type { PathTrust } from './files/path-trust.js';
import type { HandlerIdentity } from './journal/entry.js';
import { loadXml } from '../shared/xml/document.js';
import type { Log } from './log.js';
import { tryIsolation } from './isolation/choose-isolation.js';
import { createSandbox } from './sandbox.js';
import { type LoadedByConfig, loadHandlers, type LoadPace } from './load-handlers.js';
import { requireTrusted } from './require-trusted.js';
import type { RuntimeStatus } from '../contract/status.js';

/** The decision about one event: the verdict, and the replacement of the document, if any. */
export interface Decision {
  readonly verdict: Verdict;
  readonly document: Buffer | null;
}

/** A loaded configuration. It never changes: a reload creates another engine. */
export interface Engine extends AsyncDisposable {
  readonly config: Config;
  /** Identities of its handlers by name. */
  readonly identities: ReadonlyMap<string, HandlerIdentity>;
  decide(call: HookCall): Promise<Decision>;
  status(): Pick<RuntimeStatus, 'handlers' | 'sandbox'>;
}

export interface EngineOptions {
  /** Set by a caller that has already checked that the configuration is trusted. */
  readonly trust?: PathTrust;
  readonly pace?: LoadPace;
}

/**
 * Loads every handler of a configuration. Throws HookvisorError `untrusted` when other users can change what it names,
 * or `config-invalid`, which lists every handler that cannot be loaded; nothing is left running then. The pace `reload`
 * delays no event that another engine answers.
 */
export async function createEngine(
  config: Config,
  log: Log,
  { trust, pace = 'start' }: EngineOptions = {},
): Promise<Engine> {
  const options = sandboxOptions(config);
  const trusted = trust ?? (await requireTrusted(config));
  await tryIsolation(options.settings);
  const sandbox = createSandbox({ cache: config.cache, log, trust: trusted, ...options });
  const backends: Readonly<Record<BackendName, Backend>> = {
    script: createScriptBackend(),
    component: sandbox.backend('component'),
    extism: sandbox.backend('extism'),
  };
  const loaded = new Map<string, LoadedByConfig>();
  const release = async (): Promise<void> => {
    await Promise.all([...loaded.values()].map(async ({ handler }) => handler[Symbol.asyncDispose]()));
    await Promise.all(Object.values(backends).map(async (backend) => backend[Symbol.asyncDispose]()));
    await sandbox[Symbol.asyncDispose]();
  };
  try {
    await loadHandlers(config, backends, { loaded, pace });
  } catch (error) {
    await release();
    throw error;
  }

  const route = await createRouterInSlices({ routes: config.routes, handlers: await linkHandlersInSlices(loaded) });
  const budget = createBudget({ totalMs: config.budgetMs, now: () => performance.now() });
  const counts = countsOf(loaded.keys());
  const inFlight = new Set<Promise<unknown>>();
  let released: Promise<void> | null = null;

  return {
    config,
    identities: new Map([...loaded].map(([name, { identity }]) => [name, identity])),
    async decide(call) {
      const handlers = route(call.event);
      const spending = budget.begin(call.event);
      const running = runChain({ call, handlers, checkReplacement, allowance: spending.allowance });
      inFlight.add(running);
      try {
        const decision = await running;
        count(decision.verdict, counts);
        return decision;
      } finally {
        spending.end();
        inFlight.delete(running);
      }
    },
    status: () => ({
      handlers: [...config.handlers.values()].map(({ name, backend, mode, trust }) => {
        const { evaluations, denials, failures } = counts.get(name) ?? { evaluations: 0, denials: 0, failures: 0 };
        const handler = loaded.get(name)?.handler ?? null;
        const breaker = handler === null ? null : sandbox.breaker(handler);
        const digest = handler?.digest ?? null;
        return { handler: name, backend, mode, trust, digest, evaluations, denials, failures, breaker };
      }),
      sandbox: sandbox.status(),
    }),
    async [Symbol.asyncDispose]() {
      released ??= Promise.allSettled(inFlight).then(release);
      await released;
    },
  };
}

interface Counts {
  evaluations: number;
  denials: number;
  failures: number;
}

function countsOf(names: Iterable<string>): ReadonlyMap<string, Counts> {
  return new Map(Array.from(names, (name) => [name, { evaluations: 0, denials: 0, failures: 0 }]));
}

function count({ handlers }: Verdict, counts: ReadonlyMap<string, Counts>): void {
  for (const record of handlers) {
    const counted = counts.get(record.handler);
    if (counted === undefined) continue;
    counted.evaluations += 1;
    if (record.outcome === 'deny') counted.denials += 1;
    if (record.failure !== null) counted.failures += 1;
  }
}

/** Only plug-ins need a sandbox: a configuration without plug-ins starts on every host. */
function sandboxOptions({ sandbox, handlers }: Config): { settings: SandboxSettings; memoryBytes: number } {
  const plugins = [...handlers.values()].filter(({ backend }) => backend !== 'script');
  return {
    settings: plugins.length > 0 ? sandbox : { ...sandbox, require: 'process' },
    memoryBytes: plugins.reduce((most, { limits }) => Math.max(most, limits.memoryBytes), 0),
  };
}

/** Loads libxml2 at the first replacement: most runtimes never see one. */
async function checkReplacement(original: Buffer, replacement: Buffer): Promise<string | null> {
  return (await loadXml()).checkReplacement(original, replacement);
}
