import type { Log } from '../log.js';
import { isStable, type LoadedRunner } from './loaded-runner.js';

export interface RunnerLifecycleOptions {
  readonly trust: string;
  readonly log: Log;
  /** A process that exits on its own within this many milliseconds counts as one that could not start. */
  readonly stableAfterMs: number;
  /** Starts a process. Its `onGone` must call {@link RunnerLifecycle.gone}. */
  readonly start: () => LoadedRunner;
  /** Called when a process could not be started, with a description of how it exited. */
  readonly onStartFailed: (how: string) => void;
}

/** The processes of a trust group. Every state names each of them, so that none can be forgotten. */
type State =
  /** None serves yet. */
  | { readonly name: 'starting'; readonly next: LoadedRunner }
  /** None runs: the last one could not start, and the next attempt waits. */
  | { readonly name: 'backing-off'; readonly timer: NodeJS.Timeout }
  /** `next` replaces `current` between two requests, once it has loaded its plug-ins. */
  | { readonly name: 'serving'; readonly current: LoadedRunner; readonly next: LoadedRunner | null }
  /** `current` has failed and is about to exit. If a request is to blame, the next process starts without delay. */
  | {
      readonly name: 'failing';
      readonly current: LoadedRunner;
      readonly next: LoadedRunner | null;
      readonly blamed: boolean;
    }
  | { readonly name: 'closed' };

/** Starts, replaces and restarts the process of one trust group. Knows nothing about requests. */
export class RunnerLifecycle {
  /** Processes that were lost. */
  restarts = 0;
  /** Processes that were replaced on purpose. */
  replacements = 0;
  readonly #options: RunnerLifecycleOptions;
  readonly #retired = new Set<Promise<void>>();
  #state: State;
  #startFailures = 0;

  constructor(options: RunnerLifecycleOptions) {
    this.#options = options;
    this.#state = { name: 'starting', next: options.start() };
  }

  get state(): State['name'] {
    return this.#state.name;
  }

  /** The process that takes requests now, or null. */
  get current(): LoadedRunner | null {
    return this.#state.name === 'serving' ? this.#state.current : null;
  }

  get pid(): number | null {
    const state = this.#state;
    if (state.name === 'starting') return state.next.runner.pid;
    return 'current' in state ? state.current.runner.pid : null;
  }

  /** Switches to the next process if it is ready, and lets the old one exit. Returns the new one, or null. */
  changeOver(): LoadedRunner | null {
    const state = this.#state;
    if (state.name !== 'starting' && state.name !== 'serving') return null;
    const { next } = state;
    if (next?.readySince === null || next === null) return null;
    if (state.name === 'serving') {
      this.replacements += 1;
      const ended = state.current.runner.end().finally(() => this.#retired.delete(ended));
      this.#retired.add(ended);
    }
    this.#state = { name: 'serving', current: next, next: null };
    return next;
  }

  /** Starts a process that will replace the current one. */
  replace(why: string): void {
    const state = this.#state;
    if (state.name !== 'serving' || state.next !== null) return;
    this.#options.log('info', `Replacing the runner of trust group '${this.#options.trust}': ${why}`);
    this.#state = { ...state, next: this.#options.start() };
  }

  /** Reports an answer: the process has started successfully. */
  answered(): void {
    this.#startFailures = 0;
  }

  /** Reports that the process did not answer a request. `blamed`: the request is the reason. */
  failed(runner: LoadedRunner, blamed: boolean): void {
    const state = this.#state;
    if (state.name === 'serving' && state.current === runner) {
      this.#state = { name: 'failing', current: runner, next: state.next, blamed };
    }
  }

  /** Reports that a process has exited. */
  gone(runner: LoadedRunner, how: string): void {
    const { trust, log, start } = this.#options;
    const state = this.#state;
    const about = `The runner of trust group '${trust}' died (${how})`;
    if (state.name === 'starting' && state.next === runner) {
      this.#backOff(about, how);
      return;
    }
    if (state.name !== 'serving' && state.name !== 'failing') return;
    if (state.next === runner) {
      this.#state = { ...state, next: null };
      log('warn', `${about} before it could replace the current one, which keeps running`);
      return;
    }
    if (state.current !== runner) return;
    this.restarts += 1;
    const { next } = state;
    const atOnce = (state.name === 'failing' && state.blamed) || isStable(runner, this.#options.stableAfterMs);
    if (next !== null) {
      log('warn', `${about}; its replacement is starting`);
      this.#state = { name: 'starting', next };
    } else if (atOnce) {
      log('warn', `${about}; restarting it`);
      this.#state = { name: 'starting', next: start() };
    } else this.#backOff(about, how);
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { name: 'closed' };
    if (state.name === 'backing-off') clearTimeout(state.timer);
    const current = 'current' in state ? state.current : null;
    const next = 'next' in state ? state.next : null;
    await Promise.all([current?.runner.end(), next?.runner.end(), ...this.#retired]);
  }

  #backOff(about: string, how: string): void {
    this.#startFailures += 1;
    const delay = restartDelayMs(this.#startFailures);
    this.#options.log('error', `${about}; restarting it in ${delay} ms`);
    const timer = setTimeout(() => {
      this.#state = { name: 'starting', next: this.#options.start() };
    }, delay);
    this.#state = { name: 'backing-off', timer };
    this.#options.onStartFailed(how);
  }
}

/** Returns the delay after this many processes that could not start: 100 ms, doubling up to 5 s. */
export function restartDelayMs(failures: number): number {
  return Math.min(5_000, 100 * 2 ** (failures - 1));
}
