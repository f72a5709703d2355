import type { RunnerReply, RunnerRequest, RunnerUsage } from '../../contract/messages.js';
import { createWarmPool, warmInstances } from './warm-pool.js';
import { recycleReason } from './recycling.js';
import type { RecycleLimits } from './recycling.js';

/** A request to a runner that no event caused. */
export interface MaintenanceTask {
  readonly request: RunnerRequest;
  /** The plug-in that is responsible if the runner is lost; null if none. */
  readonly handler: number | null;
  done(reply: RunnerReply): void;
  /** The runner was lost before it replied. */
  lost(): void;
}

/** Decides what a runner does between events: make instances ahead, free memory, report its usage. */
export interface Maintenance {
  add(handler: number): void;
  remove(handler: number): void;
  evaluated(handler: number): void;
  /** True if a task can no longer wait until the queue is empty. */
  readonly overdue: boolean;
  next(): MaintenanceTask | null;
  /** Reports that the runner has been idle for a while. */
  idle(): void;
  /** Reports that another process has taken over. */
  renewed(): void;
}

export interface MaintenanceOptions {
  readonly limits: RecycleLimits;
  /** Whether a plug-in may get instances now. One that has just cost a runner may not. */
  readonly isEligible: (handler: number) => boolean;
  /** Called when the process should be replaced, with the reason in words. */
  readonly onRecycle: (why: string) => void;
}

/** Usage is requested after this many events when the queue is empty, or after ten times as many between two events. */
const usageEvery = 200;

export function createMaintenance(options: MaintenanceOptions): Maintenance {
  return new RunnerMaintenance(options);
}

class RunnerMaintenance implements Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #pool = createWarmPool();
  /** What the process used when it started to serve. */
  #baseline: RunnerUsage | null = null;
  #evaluations = 0;
  #shrinkDue = false;
  #usageDue = false;
  /** Whether garbage was collected in response to the last report. */
  #collected = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  get overdue(): boolean {
    return this.#shrinkDue || this.#usageDue || this.#evaluations >= usageEvery * 10;
  }

  add(handler: number): void {
    this.#pool.add(handler);
  }

  remove(handler: number): void {
    this.#pool.remove(handler);
  }

  evaluated(handler: number): void {
    this.#evaluations += 1;
    this.#pool.used(handler);
  }

  next(): MaintenanceTask | null {
    if (this.#shrinkDue) return this.#shrink();
    if (this.#usageDue || this.#baseline === null || this.#evaluations >= usageEvery) return this.#askUsage();
    const handler = this.#pool.next(this.#options.isEligible);
    return handler === null ? null : this.#prepare(handler);
  }

  idle(): void {
    this.#shrinkDue = this.#usageDue = true;
  }

  renewed(): void {
    this.#baseline = null;
    this.#evaluations = 0;
    this.#shrinkDue = this.#usageDue = this.#collected = false;
    this.#pool.reset();
  }

  #shrink(): MaintenanceTask {
    this.#shrinkDue = false;
    this.#pool.shrink();
    const request = { kind: 'shrink', keep: warmInstances.idle } as const;
    return { request, handler: null, done: () => undefined, lost: () => undefined };
  }

  #askUsage(): MaintenanceTask {
    this.#usageDue = false;
    this.#evaluations = 0;
    return {
      request: { kind: 'usage' },
      handler: null,
      lost: () => undefined,
      done: (reply) => {
        if (reply.kind === 'usage') this.#judge(reply.usage);
      },
    };
  }

  #judge(usage: RunnerUsage): void {
    this.#baseline ??= usage;
    const due = recycleReason(usage, this.#baseline, this.#options.limits);
    if (due?.what === 'memory' && !this.#collected) {
      this.#collected = this.#shrinkDue = this.#usageDue = true;
      return;
    }
    this.#collected = false;
    if (due !== null) this.#options.onRecycle(due.why);
  }

  #prepare(handler: number): MaintenanceTask {
    return {
      request: { kind: 'prepare', handler },
      handler,
      done: (reply) => {
        this.#pool.prepared(handler, reply.kind === 'prepared' ? reply : { made: false, tookMs: 0 });
      },
      lost: () => {
        this.#pool.prepared(handler, { made: false, tookMs: 0 });
      },
    };
  }
}
