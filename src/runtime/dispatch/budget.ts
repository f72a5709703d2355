import type { HookEvent } from '../../contract/event.js';
import { kindOf } from '../libvirt/catalog.js';

/** The remaining budget of one event. */
export interface Allowance {
  /** The whole budget, milliseconds; for messages. */
  readonly totalMs: number;
  /** Returns the remaining milliseconds; 0 when the budget is exhausted. */
  leftMs(): number;
}

/** Measures the time of the handlers of one event. */
export interface Spending {
  /** Null for an event that belongs to no guest start: only the deadlines of its handlers apply. */
  readonly allowance: Allowance | null;
  /** Stops the measurement, whatever the result of the handlers. To be called once. */
  readonly end: () => void;
}

/** Bounds the total time of all handlers for the start of one guest. */
export interface Budget {
  /** Starts measuring an event, within the remaining budget of the guest start that it belongs to. */
  begin(event: HookEvent): Spending;
}

interface Start {
  spentMs: number;
  /** When its last event ended, on the clock of the budget. */
  touchedMs: number;
  last: string;
}

/** The operations of a guest start in the order of libvirt; `restore` or `migrate` come first when there is a saved state. */
const firstOperations = ['restore', 'migrate'];
const operations = [...firstOperations, 'prepare', 'start', 'started'];

/** A start without events for this long is considered abandoned: libvirtd may have been killed. */
const forgottenAfterMs = 15 * 60_000;

/**
 * Creates a budget that identifies a start by driver and UUID. A start begins with `restore`, `migrate` or `prepare`,
 * and ends with `started`, or with `stopped` or `release` when it failed. Only the time in handlers counts, not the
 * time that libvirt takes between them. `port-created` is not part of a start: the event names a network, not a guest.
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
