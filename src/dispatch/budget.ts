import type { HookEvent } from '../event.js';
import { kindOf } from '../libvirt/catalog.js';

/** What is left for one event, as its handlers use it up. */
export interface Allowance {
  /** The whole budget, milliseconds; for messages. */
  readonly totalMs: number;
  /** What its handlers may still take, milliseconds; 0 when nothing is left. */
  leftMs(): number;
}

/** The time that the handlers of one event take, from its beginning on. */
export interface Spending {
  /** Null for an event that belongs to no guest's start: only its handlers' own deadlines hold. */
  readonly allowance: Allowance | null;
  /** Counts it: whatever came of the handlers, they are done. To be called once. */
  readonly end: () => void;
}

/** Bounds what all handlers together take for the start of one guest. */
export interface Budget {
  /** The handlers of an event begin, under what is left for the start that it belongs to. */
  begin(event: HookEvent): Spending;
}

interface Start {
  spentMs: number;
  /** When its last event ended, on the budget's clock. */
  touchedMs: number;
  last: string;
}

/** The operations of one start, in libvirt's order; `restore` and `migrate` come first where there is a state to take over. */
const firstOperations = ['restore', 'migrate'];
const operations = [...firstOperations, 'prepare', 'start', 'started'];

/** A start of which nothing was heard for this long has been given up: libvirtd may have been killed in its middle. */
const forgottenAfterMs = 15 * 60_000;

/**
 * Keeps count by driver and UUID. A start begins with `restore` or `migrate`, else with `prepare`, and ends with `started`, or with
 * `stopped` or `release` when it came to nothing. Only the time in handlers counts, not what libvirt does between them.
 * `port-created` is no part of it: the event names a network and no guest.
 *
 * @param options.totalMs the budget of one start
 * @param options.now a clock that only goes forward, milliseconds
 */
export function createBudget({ totalMs, now }: { totalMs: number; now: () => number }): Budget {
  const starts = new Map<string, Start>();

  const startOf = (event: HookEvent): { key: string; start: Start } | null => {
    if (event.uuid === null || kindOf(event.driver) !== 'domain') return null;
    const key = `${event.driver} ${event.uuid}`;
    if (event.event === 'stopped' || event.event === 'release') starts.delete(key);
    if (!operations.includes(event.event)) return null;
    const known = starts.get(key);
    if (known !== undefined && !beginsAnew(event.event, known.last)) return { key, start: known };
    const start: Start = { spentMs: 0, touchedMs: now(), last: event.event };
    starts.set(key, start);
    return { key, start };
  };

  const forget = (): void => {
    for (const [key, { touchedMs }] of starts) if (now() - touchedMs > forgottenAfterMs) starts.delete(key);
  };

  return {
    begin(event) {
      forget();
      const found = startOf(event);
      if (found === null) return free;
      const { key, start } = found;
      const began = now();
      start.last = event.event;
      start.touchedMs = began;
      return {
        allowance: { totalMs, leftMs: () => Math.max(0, totalMs - start.spentMs - (now() - began)) },
        end: () => {
          start.touchedMs = now();
          start.spentMs += start.touchedMs - began;
          if (event.event === 'started' && starts.get(key) === start) starts.delete(key);
        },
      };
    },
  };
}

const free: Spending = { allowance: null, end: () => undefined };

function beginsAnew(operation: string, last: string): boolean {
  if (firstOperations.includes(operation)) return true;
  return operation === 'prepare' && !firstOperations.includes(last);
}
