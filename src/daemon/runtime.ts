import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { defaultJournal } from '../config/defaults.js';
import { loadConfig } from '../config/load.js';
import { loadConfigApart } from '../config/load-apart.js';
import { HookvisorError, messageOf } from '../errors.js';
import type { HookCall } from '../event.js';
import type { HookRequest } from '../hook-frames.js';
import { type Journal, openJournal } from '../journal/journal.js';
import { fromHookArguments, fromRfcArguments } from '../libvirt/call.js';
import type { Log } from '../log.js';
import { version } from '../version.js';
import { createEngine, type Decision, type Engine } from './engine.js';
import { createPromotions, type Promotions } from './promotions.js';
import type { EmitCommand } from './protocol.js';
import { requireTrusted } from './require-trusted.js';
import type { TrialStatus } from './trial.js';

/** Options of a runtime. */
export interface RuntimeOptions {
  readonly log: Log;
  /** Reads the configuration at start-up and at each reload. */
  readonly load: () => Promise<Config>;
}

/** The runtime: the active engine, its journal, and reloads. */
export interface Runtime extends AsyncDisposable {
  readonly config: Config;
  /** Decides a call of the hook client. Throws HookvisorError `protocol` for malformed arguments. */
  hook(request: HookRequest): Promise<Decision>;
  /** Decides an event in the form of the RFC. */
  emit(command: EmitCommand, document: Buffer | null): Promise<Decision>;
  /** Activates the configuration on disk, or throws and keeps the active one. */
  reload(): Promise<void>;
  /** Promotions and trials of single plug-ins. */
  readonly promotions: Pick<Promotions, 'promote' | 'begin' | 'cancel'>;
  status(): RuntimeStatus;
}

/** Returns what `hookvisor status --json` prints. */
export type RuntimeStatus = ReturnType<typeof describe> & { readonly trial: TrialStatus | null };

/** Loads a configuration and its handlers. When it throws HookvisorError, nothing is left running. */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log, load } = options;
  const started = Date.now();
  const config = await load();
  tellDoubts(config, log);
  const trust = await requireTrusted(config);
  let journal = config.journal === null ? null : await openJournal(config.journal, log);
  let engine: Engine;
  try {
    engine = await createEngine(config, log, { trust });
  } catch (error) {
    await journal?.[Symbol.asyncDispose]();
    throw error;
  }

  const counts: Counts = { events: 0, denied: 0, failed: 0, unrecorded: 0, reloads: 0, lastReloadError: null };
  const retired = new Set<Promise<void>>();
  let reloading: Promise<void> = Promise.resolve();
  /** A reload that has not started: it will read the disk then, and serves all requests until then. */
  let nextReload: Promise<void> | null = null;
  let disposed: Promise<void> | null = null;

  const decide = async (call: HookCall): Promise<Decision> => {
    // A reload may replace the engine meanwhile.
    const { identities } = engine;
    const deciding = engine.decide(call);
    if (call.document !== null) journal?.foresee(call.document);
    const decision = await deciding;
    promotions.observe(decision.verdict);
    counts.events += 1;
    if (decision.verdict.answered === 'deny') counts.denied += 1;
    if (decision.verdict.handlers.some((record) => record.failure !== null)) counts.failed += 1;
    try {
      await journal?.append({ call, verdict: decision.verdict, replacement: decision.document, identities });
    } catch (error) {
      // The verdict is still answered: a full disk must not decide which guests may start. `status` shows the loss.
      counts.unrecorded += 1;
      log('error', messageOf(error));
    }
    return decision;
  };

  /** Replaces the engine. Events in flight finish on the previous one and go to the journal that is active then. */
  const use = (next: Engine): void => {
    const retiring = retire(engine, log);
    engine = next;
    retired.add(retiring);
    void retiring.finally(() => retired.delete(retiring));
  };

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const run = reloading.then(work);
    reloading = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  };

  const promotions = createPromotions({
    inForce: () => engine,
    written: load,
    put: async (next) => {
      use(await createEngine(next, log, { pace: 'reload' }));
    },
    inTurn,
    log,
  });

  const swap = async (): Promise<void> => {
    const next = await load();
    if (next.socket !== engine.config.socket) {
      throw new HookvisorError(
        'config-invalid',
        `Cannot reload '${next.file}': its socket '${next.socket}' is not the active one; restart the runtime to change it`,
      );
    }
    tellDoubts(next, log);
    const nextEngine = await createEngine(next, log, { pace: 'reload' });
    const previousJournal = journal;
    try {
      if (next.journal?.dir !== engine.config.journal?.dir) {
        journal = next.journal === null ? null : await openJournal(next.journal, log);
      }
    } catch (error) {
      await nextEngine[Symbol.asyncDispose]();
      throw error;
    }
    use(nextEngine);
    promotions.reloaded();
    if (next.journal !== null && previousJournal === journal) journal?.update(next.journal);
    if (previousJournal !== journal) await previousJournal?.[Symbol.asyncDispose]();
  };

  const reload = async (): Promise<void> => {
    nextReload = null;
    try {
      await swap();
      counts.reloads += 1;
      counts.lastReloadError = null;
      log('info', `configuration '${engine.config.file}' is active (${engine.config.handlers.size} handlers)`);
    } catch (error) {
      counts.lastReloadError = messageOf(error);
      log('error', `the active configuration is kept:\n${messageOf(error)}`);
      throw error;
    }
  };

  return {
    get config() {
      return engine.config;
    },
    async hook(request) {
      const { driver, args, document } = request;
      return decide(fromHookArguments({ driver, args, document, time: Date.now(), id: randomUUID() }));
    },
    async emit(command, document) {
      const { kind, name, event, qualifier, extra = null, driver } = command;
      const words = { kind, name, event, qualifier, extra, ...(driver === undefined ? {} : { driver }) };
      return decide(fromRfcArguments({ ...words, document, time: Date.now(), id: randomUUID() }));
    },
    reload() {
      nextReload ??= inTurn(reload);
      return nextReload;
    },
    promotions,
    status: () => ({ ...describe({ engine, journal, counts, started }), trial: promotions.trial() }),
    async [Symbol.asyncDispose]() {
      disposed ??= (async () => {
        promotions.stop();
        await reloading;
        await engine[Symbol.asyncDispose]();
        await Promise.all(retired);
        await journal?.[Symbol.asyncDispose]();
      })();
      await disposed;
    },
  };
}

/** Overrides of the configuration file. `journalDir` sets the folder of the journal and enables it. */
export type ConfigOverrides = Partial<Pick<Config, 'socket' | 'journal' | 'cache'>> & { readonly journalDir?: string };

/**
 * Returns a function that reads `file` and applies `overrides`. The first call reads on the calling thread, which has
 * nothing to answer yet; later calls read in a separate thread.
 */
export function configFrom(file: string, { journalDir, ...overrides }: ConfigOverrides = {}): () => Promise<Config> {
  let read = loadConfig;
  return async () => {
    const reading = read(file);
    read = loadConfigApart;
    const config = { ...(await reading), ...overrides };
    return journalDir === undefined
      ? config
      : { ...config, journal: { ...(config.journal ?? defaultJournal), dir: journalDir } };
  };
}

function tellDoubts({ file, doubts }: Config, log: Log): void {
  for (const doubt of doubts) log('warn', `configuration '${file}': ${doubt}`);
}

async function retire(engine: Engine, log: Log): Promise<void> {
  try {
    await engine[Symbol.asyncDispose]();
  } catch (error) {
    log('error', `Cannot stop the handlers of the previous configuration: ${messageOf(error)}`);
  }
}

interface Counts {
  events: number;
  denied: number;
  failed: number;
  unrecorded: number;
  reloads: number;
  lastReloadError: string | null;
}

function describe(state: { engine: Engine; journal: Journal | null; counts: Counts; started: number }) {
  const { engine, journal, counts, started } = state;
  const { handlers, sandbox } = engine.status();
  return {
    version,
    pid: process.pid,
    node: process.version,
    started: new Date(started).toISOString(),
    config: engine.config.file,
    socket: engine.config.socket,
    events: { answered: counts.events, denied: counts.denied, withFailures: counts.failed },
    journal: journal === null ? null : { file: journal.file, unrecorded: counts.unrecorded },
    reloads: { done: counts.reloads, lastError: counts.lastReloadError },
    handlers,
    sandbox,
  };
}
