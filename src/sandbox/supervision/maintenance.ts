import type { RunnerReply, RunnerRequest, RunnerUsage } from '../protocol/messages.js';
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
  /** True if a task must not wait for a quiet moment any longer. */
  readonly overdue: boolean;
  next(): MaintenanceTask | null;
  /** The runner has been idle for a while. */
  idle(): void;
  /** Another process has taken over. */
  renewed(): void;
}

export interface MaintenanceOptions {
  readonly limits: RecycleLimits;
  /** Whether a plug-in may get instances now. One that has just cost a runner may not. */
  readonly isEligible: (handler: number) => boolean;
  /** Called when the process should be replaced, with the reason in words. */
  readonly onRecycle: (why: string) => void;
}

/** Usage is requested after this many events in a quiet moment, or after ten times as many between two events. */
const usageEvery = 200;

export function createMaintenance({ limits, isEligible, onRecycle }: MaintenanceOptions): Maintenance {
  const pool = createWarmPool();
  /** What the process used when it started to serve. */
  let baseline: RunnerUsage | null = null;
  let evaluations = 0;
  let shrinkDue = false;
  let usageDue = false;
  /** Whether garbage was collected in response to the last report. */
  let collected = false;

  const judge = (usage: RunnerUsage): void => {
    baseline ??= usage;
    const due = recycleReason(usage, baseline, limits);
    if (due?.what === 'memory' && !collected) {
      collected = shrinkDue = usageDue = true;
      return;
    }
    collected = false;
    if (due !== null) onRecycle(due.why);
  };
  const askUsage = (): MaintenanceTask => {
    usageDue = false;
    evaluations = 0;
    return {
      request: { request: 'usage' },
      handler: null,
      lost: () => undefined,
      done(reply) {
        if (reply.reply === 'usage') judge(reply.usage);
      },
    };
  };
  const shrink = (): MaintenanceTask => {
    shrinkDue = false;
    pool.shrink();
    const request = { request: 'shrink', keep: warmInstances.idle } as const;
    return { request, handler: null, done: () => undefined, lost: () => undefined };
  };
  const prepare = (handler: number): MaintenanceTask => ({
    request: { request: 'prepare', handler },
    handler,
    done(reply) {
      pool.prepared(handler, reply.reply === 'prepared' ? reply : { made: false, tookMs: 0 });
    },
    lost() {
      pool.prepared(handler, { made: false, tookMs: 0 });
    },
  });

  return {
    add(handler) {
      pool.add(handler);
    },
    remove(handler) {
      pool.remove(handler);
    },
    evaluated(handler) {
      evaluations += 1;
      pool.used(handler);
    },
    get overdue() {
      return shrinkDue || usageDue || evaluations >= usageEvery * 10;
    },
    next() {
      if (shrinkDue) return shrink();
      if (usageDue || baseline === null || evaluations >= usageEvery) return askUsage();
      const handler = pool.next(isEligible);
      return handler === null ? null : prepare(handler);
    },
    idle() {
      shrinkDue = usageDue = true;
    },
    renewed() {
      baseline = null;
      evaluations = 0;
      shrinkDue = usageDue = collected = false;
      pool.reset();
    },
  };
}
