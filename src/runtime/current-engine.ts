import type { Config } from './config/config.js';
import { messageOf } from '../contract/errors.js';
import { type Journal, openJournal } from './journal/journal.js';
import type { Log } from './log.js';
import { createEngine, type Engine } from './engine.js';
import { requireTrusted } from './require-trusted.js';

/** The active engine and journal. Replacements are serialized and atomic. */
export class CurrentEngine {
  readonly #log: Log;
  readonly #retired = new Set<Promise<void>>();
  #engine: Engine;
  #journal: Journal | null;
  /** Resolves when all changes requested so far are complete. */
  #changes: Promise<void> = Promise.resolve();

  private constructor(engine: Engine, journal: Journal | null, log: Log) {
    this.#engine = engine;
    this.#journal = journal;
    this.#log = log;
  }

  /** Loads a configuration and its handlers. When it throws HookvisorError, nothing is left running. */
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

  /** Runs a change after all previous ones. */
  inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const run = this.#changes.then(change);
    this.#changes = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  /** Activates other handlers and routes, but keeps the journal. When it throws HookvisorError, nothing changes. */
  async replaceHandlers(next: Config): Promise<void> {
    this.#use(await createEngine(next, this.#log, { pace: 'reload' }));
  }

  /**
   * Activates a complete configuration. When it throws HookvisorError, nothing changes. Returns the journal that was
   * replaced, if any; the caller disposes it.
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

  /** Events in flight finish on the previous engine and are written to the journal that is active then. */
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
      this.#log('error', `Cannot close the handlers of the previous configuration: ${messageOf(error)}`);
    }
  }
}
