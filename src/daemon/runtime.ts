import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { defaultJournal } from '../config/defaults.js';
import { loadConfig } from '../config/load.js';
import { loadConfigApart } from '../config/load-apart.js';
import { HookvisorError, messageOf } from '../errors.js';
import type { HookCall } from '../event.js';
import { type Journal, openJournal } from '../journal/journal.js';
import { fromHookArguments, fromRfcArguments } from '../libvirt/call.js';
import type { Log } from '../log.js';
import { version } from '../version.js';
import { createEngine, type Decision, type Engine } from './engine.js';
import { createPromotions, type Promotions } from './promotions.js';
import type { EmitCommand, HookRequest } from './protocol.js';
import { requireTrusted } from './require-trusted.js';
import type { RuntimeStatus } from './status.js';

/** How to find and override a configuration. */
export interface RuntimeOptions {
  readonly log: Log;
  /** Reads the configuration, at start and at each reload. */
  readonly load: () => Promise<Config>;
}

/** The part of Hookvisor that decides: the engine in force, its journal, and how it is replaced. */
export interface Runtime extends AsyncDisposable {
  readonly config: Config;
  /** Decides a call of the hook client. Throws HookvisorError `protocol` for arguments that are no hook call. */
  hook(request: HookRequest): Promise<Decision>;
  /** Decides an event given in the RFC's words. */
  emit(command: EmitCommand, document: Buffer | null): Promise<Decision>;
  /** Swaps in the configuration as it is on disk, or throws and keeps the one in force. */
  reload(): Promise<void>;
  /** Single plugins that take the place of others. */
  readonly promotions: Pick<Promotions, 'promote' | 'begin' | 'cancel'>;
  status(): RuntimeStatus;
}

/** Loads the configuration and everything in it. Throws HookvisorError and leaves nothing running. */
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
  /** A reload that has not begun: it will read what is on the disk then, for everybody who asks meanwhile. */
  let nextReload: Promise<void> | null = null;
  let disposed: Promise<void> | null = null;

  const decide = async (call: HookCall): Promise<Decision> => {
    // A reload may put another engine in its place meanwhile.
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
      // The verdict stands: a full disk must not decide which guests may start. `status` shows the loss.
      counts.unrecorded += 1;
      log('error', messageOf(error));
    }
    return decision;
  };

  /** Events under way still finish on the previous engine, and are written where the journal is then. */
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
        `Cannot reload '${next.file}': its socket '${next.socket}' is not the one in use; restart the runtime to move it`,
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
      log('info', `configuration '${engine.config.file}' is in force (${engine.config.handlers.size} handlers)`);
    } catch (error) {
      counts.lastReloadError = messageOf(error);
      log('error', `the configuration in force is kept:\n${messageOf(error)}`);
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

/** What wins over the configuration's file. `journalDir` is another folder for the journal, and turns it on. */
export type ConfigOverrides = Partial<Pick<Config, 'socket' | 'journal' | 'cache'>> & { readonly journalDir?: string };

/**
 * Makes the function that reads `file` for a runtime; `overrides` win over what it says. It reads the first time on the
 * calling thread, which has nothing to answer yet, and from then on in a thread of its own.
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
    log('error', `Cannot end the previous configuration's handlers: ${messageOf(error)}`);
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
