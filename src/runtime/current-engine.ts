import type { Config } from './config/config.js';
import { messageOf } from '../contract/errors.js';
import { type Journal, openJournal } from './journal/journal.js';
import type { Log } from './log.js';
import { createEngine, type Engine } from './engine.js';
import { requireTrusted } from './require-trusted.js';

/** The active engine and journal, and how others replace them: one change after the other, each whole or not at all. */
export class CurrentEngine {
  readonly #log: Log;
  readonly #retired = new Set<Promise<void>>();
  #engine: Engine;
  #journal: Journal | null;
  /** Resolves when the changes so far are over. */
  #changes: Promise<void> = Promise.resolve();

  private constructor(engine: Engine, journal: Journal | null, log: Log) {
    this.#engine = engine;
    this.#journal = journal;
    this.#log = log;
  }

  /** Loads a configuration and everything in it. Throws HookvisorError and leaves nothing running. */
  static async start(config: Config, log: Log): Promise<CurrentEngine> {
    const trust = await requireTrusted(config);
    const journal = config.journal === null ? null : await openJournal(config.journal, log);
    try {
      return new CurrentEngine(await createEngine(config, log, { trust }), journal, log);
    } catch (error) {
      await journal?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  get engine(): Engine {
    return this.#engine;
  }

  get journal(): Journal | null {
    return this.#journal;
  }

  /** Runs a change when those before it are over. */
  inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const run = this.#changes.then(change);
    this.#changes = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  /** Activates other handlers and routes; the journal stays. Throws HookvisorError and keeps the active ones. */
  async replaceHandlers(next: Config): Promise<void> {
    this.#use(await createEngine(next, this.#log, { pace: 'reload' }));
  }

  /**
   * Activates a whole configuration. Throws HookvisorError and keeps the active one. Returns the journal that another
   * one has replaced, for the caller to dispose.
   */
  async replace(next: Config): Promise<Journal | null> {
    const engine = await createEngine(next, this.#log, { pace: 'reload' });
    if (next.journal?.dir === this.#engine.config.journal?.dir) {
      this.#use(engine);
      if (next.journal !== null) this.#journal?.update(next.journal);
      return null;
    }
    const previous = this.#journal;
    try {
      this.#journal = next.journal === null ? null : await openJournal(next.journal, this.#log);
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
    this.#use(engine);
    return previous;
  }

  async close(): Promise<void> {
    await this.#changes;
    await this.#engine[Symbol.asyncDispose]();
    await Promise.all(this.#retired);
    await this.#journal?.[Symbol.asyncDispose]();
  }

  /** Events in flight still finish on the previous engine, and are written where the journal is then. */
  #use(next: Engine): void {
    const retiring = this.#retire(this.#engine);
    this.#engine = next;
    this.#retired.add(retiring);
    void retiring.finally(() => this.#retired.delete(retiring));
  }

  async #retire(engine: Engine): Promise<void> {
    try {
      await engine[Symbol.asyncDispose]();
    } catch (error) {
      this.#log('error', `Cannot end the previous configuration's handlers: ${messageOf(error)}`);
    }
  }
}
