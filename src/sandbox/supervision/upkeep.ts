import type { RunnerReply, RunnerRequest, RunnerUsage } from '../protocol/messages.js';
import { createSpares, sparesFor } from './spares.js';
import { wornOut } from './wear.js';
import type { WearBounds } from './wear.js';

/** A request that no event asked for. */
export interface Chore {
  readonly request: RunnerRequest;
  /** The plugin to blame when it costs the runner. */
  readonly handler: number | null;
  done(reply: RunnerReply): void;
  /** It was not carried out. */
  lost(): void;
}

/** What a runner should do between events: instances ahead, tidying up, and telling what it has used. */
export interface Upkeep {
  add(handler: number): void;
  remove(handler: number): void;
  evaluated(handler: number): void;
  /** True when a chore must not wait for a quiet moment any longer. */
  readonly overdue: boolean;
  next(): Chore | null;
  /** Nothing has happened for long. */
  idle(): void;
  /** Another process serves from now on. */
  renewed(): void;
}

export interface UpkeepOptions {
  readonly wear: WearBounds;
  /** Whether instances of a plugin may be made now: not of one that has just cost a runner. */
  readonly mayPrepare: (handler: number) => boolean;
  /** The process should be replaced. */
  readonly onWorn: (why: string) => void;
}

/** Usage is asked for after so many events in a quiet moment, and after ten times as many between two events. */
const usageEvery = 200;

export function createUpkeep({ wear, mayPrepare, onWorn }: UpkeepOptions): Upkeep {
  const spares = createSpares();
  /** What the process used when it had just begun to serve. */
  let fresh: RunnerUsage | null = null;
  let evaluations = 0;
  let shrinkDue = false;
  let usageDue = false;
  /** Whether garbage was collected because of the memory that was last reported. */
  let collected = false;

  const judge = (usage: RunnerUsage): void => {
    fresh ??= usage;
    const worn = wornOut(usage, fresh, wear);
    if (worn?.what === 'memory' && !collected) {
      collected = shrinkDue = usageDue = true;
      return;
    }
    collected = false;
    if (worn !== null) onWorn(worn.why);
  };
  const askUsage = (): Chore => {
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
  const shrink = (): Chore => {
    shrinkDue = false;
    spares.rest();
    const request = { request: 'shrink', spares: sparesFor.resting } as const;
    return { request, handler: null, done: () => undefined, lost: () => undefined };
  };
  const prepare = (handler: number): Chore => ({
    request: { request: 'prepare', handler },
    handler,
    done(reply) {
      spares.prepared(handler, reply.reply === 'prepared' ? reply : { made: false, tookMs: 0 });
    },
    lost() {
      spares.prepared(handler, { made: false, tookMs: 0 });
    },
  });

  return {
    add(handler) {
      spares.add(handler);
    },
    remove(handler) {
      spares.remove(handler);
    },
    evaluated(handler) {
      evaluations += 1;
      spares.used(handler);
    },
    get overdue() {
      return shrinkDue || usageDue || evaluations >= usageEvery * 10;
    },
    next() {
      if (shrinkDue) return shrink();
      if (usageDue || fresh === null || evaluations >= usageEvery) return askUsage();
      const handler = spares.next(mayPrepare);
      return handler === null ? null : prepare(handler);
    },
    idle() {
      shrinkDue = usageDue = true;
    },
    renewed() {
      fresh = null;
      evaluations = 0;
      shrinkDue = usageDue = collected = false;
      spares.reset();
    },
  };
}
