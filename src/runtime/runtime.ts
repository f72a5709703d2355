import { randomUUID } from 'node:crypto';
import type { Config } from './config/config.js';
import { defaultJournal } from './config/defaults.js';
import { loadConfig } from './config/load.js';
import { loadConfigApart } from './config/load-apart.js';
import type { Verdict } from '../contract/verdict.js';
import { HookvisorError, messageOf } from '../contract/errors.js';
import type { HookCall } from '../contract/event.js';
import type { HookRequest } from '../contract/hook-frames.js';
import { fromHookArguments, fromRfcArguments } from './libvirt/call.js';
import type { Log } from './log.js';
import { version } from './version.js';
import { CurrentEngine } from './current-engine.js';
import type { Decision } from './engine.js';
import { createPromotions, type Promotions } from './promotions.js';
import type { EmitCommand } from '../contract/protocol.js';
import type { RuntimeStatus } from '../contract/status.js';

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

/** Loads a configuration and its handlers. When it throws HookvisorError, nothing is left running. */
export async function createRuntime({ log, load }: RuntimeOptions): Promise<Runtime> {
  const started = new Date();
  const config = await load();
  tellDoubts(config, log);
  return new DecidingRuntime({ log, load, started, current: await CurrentEngine.start(config, log) });
}

class DecidingRuntime implements Runtime {
  readonly promotions: Promotions;
  readonly #log: Log;
  readonly #load: RuntimeOptions['load'];
  readonly #started: Date;
  readonly #current: CurrentEngine;
  readonly #events = { answered: 0, denied: 0, withFailures: 0 };
  readonly #reloads: { done: number; lastError: string | null } = { done: 0, lastError: null };
  #unrecorded = 0;
  /** A reload that has not started: it will read the disk then, and serves all requests until then. */
  #nextReload: Promise<void> | null = null;
  #disposed: Promise<void> | null = null;

  constructor({ log, load, started, current }: RuntimeOptions & { started: Date; current: CurrentEngine }) {
    this.#log = log;
    this.#load = load;
    this.#started = started;
    this.#current = current;
    this.promotions = createPromotions({
      inForce: () => current.engine,
      written: load,
      put: (next) => current.replaceHandlers(next),
      inTurn: (work) => current.inTurn(work),
      log,
    });
  }

  get config(): Config {
    return this.#current.engine.config;
  }

  async hook({ driver, args, document }: HookRequest): Promise<Decision> {
    return this.#decide(fromHookArguments({ driver, args, document, time: Date.now(), id: randomUUID() }));
  }

  async emit(command: EmitCommand, document: Buffer | null): Promise<Decision> {
    const { kind, name, event, qualifier, extra = null, driver } = command;
    const words = { kind, name, event, qualifier, extra, ...(driver === undefined ? {} : { driver }) };
    return this.#decide(fromRfcArguments({ ...words, document, time: Date.now(), id: randomUUID() }));
  }

  reload(): Promise<void> {
    this.#nextReload ??= this.#current.inTurn(() => this.#reload());
    return this.#nextReload;
  }

  status(): RuntimeStatus {
    const { engine, journal } = this.#current;
    const { handlers, sandbox } = engine.status();
    return {
      version,
      pid: process.pid,
      node: process.version,
      started: this.#started.toISOString(),
      config: engine.config.file,
      socket: engine.config.socket,
      events: { ...this.#events },
      journal: journal === null ? null : { file: journal.file, unrecorded: this.#unrecorded },
      reloads: { ...this.#reloads },
      handlers,
      sandbox,
      trial: this.promotions.trial(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.promotions.stop();
    this.#disposed ??= this.#current.close();
    await this.#disposed;
  }

  async #decide(call: HookCall): Promise<Decision> {
    // A reload may replace the engine meanwhile.
    const { engine } = this.#current;
    const deciding = engine.decide(call);
    if (call.document !== null) this.#current.journal?.foresee(call.document);
    const decision = await deciding;
    const { verdict, document } = decision;
    this.promotions.observe(verdict);
    this.#count(verdict);
    try {
      const { identities } = engine;
      await this.#current.journal?.append({ call, verdict, replacement: document, identities });
    } catch (error) {
      // The verdict is still answered: a full disk must not decide which guests may start. `status` shows the loss.
      this.#unrecorded += 1;
      this.#log('error', messageOf(error));
    }
    return decision;
  }

  #count({ answered, handlers }: Verdict): void {
    this.#events.answered += 1;
    if (answered === 'deny') this.#events.denied += 1;
    if (handlers.some(({ failure }) => failure !== null)) this.#events.withFailures += 1;
  }

  async #reload(): Promise<void> {
    this.#nextReload = null;
    try {
      const next = await this.#load();
      requireSameSocket(next, this.config);
      tellDoubts(next, this.#log);
      const previousJournal = await this.#current.replace(next);
      this.promotions.reloaded();
      await previousJournal?.[Symbol.asyncDispose]();
      this.#reloads.done += 1;
      this.#reloads.lastError = null;
      this.#log('info', `configuration '${next.file}' is active (${next.handlers.size} handlers)`);
    } catch (error) {
      this.#reloads.lastError = messageOf(error);
      this.#log('error', `the active configuration is kept:\n${messageOf(error)}`);
      throw error;
    }
  }
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

function requireSameSocket(next: Config, { socket, readers }: Config): void {
  if (next.readers !== readers) {
    const group = next.readers === null ? 'no group' : `the group '${next.readers}'`;
    throw new HookvisorError(
      'config-invalid',
      `Cannot reload '${next.file}': it lets ${group} look, which is not in force; restart the runtime to change it`,
    );
  }
  if (next.socket === socket) return;
  throw new HookvisorError(
    'config-invalid',
    `Cannot reload '${next.file}': its socket '${next.socket}' is not the active one; restart the runtime to change it`,
  );
}

function tellDoubts({ file, doubts }: Config, log: Log): void {
  for (const doubt of doubts) log('warn', `configuration '${file}': ${doubt}`);
}
