import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../contract/errors.js';
import type { Log } from '../log.js';
import { type GateOptions, listenWithGate } from './gate.js';
import type { Listener } from './listener.js';
import { takeOver } from './stale-socket.js';

/** A gate that exits sooner than this counts as failed to start, milliseconds. */
const steadyMs = 1_000;
const longestDelayMs = 5_000;

export interface SteadyGateOptions extends Omit<GateOptions, 'onGone'> {
  readonly log: Log;
}

/**
 * Listens through the gate and restarts it when it exits. Calls that it had accepted are still decided and journaled,
 * but their clients see a closed connection. Throws like {@link listenWithGate} when it cannot listen initially.
 */
export async function listenWithSteadyGate({ log, ...options }: SteadyGateOptions): Promise<Listener> {
  const { place } = options;
  const stopped = new AbortController();
  let startedAt = 0;
  let delayMs = 0;
  let replacing = Promise.resolve();

  // A function, because the compiler does not know that the value can change during an `await`.
  const isStopped = (): boolean => stopped.signal.aborted;
  const open = async (): Promise<Listener> => {
    startedAt = performance.now();
    const onGone = (how: string): void => {
      replacing = replace(how);
    };
    return listenWithGate({ ...options, onGone });
  };
  const replace = async (how: string): Promise<void> => {
    let reason = how;
    while (!isStopped()) {
      delayMs = performance.now() - startedAt >= steadyMs ? 0 : Math.min(longestDelayMs, 2 * delayMs + 100);
      log('error', `The process that accepts hook calls exited (${reason}); restarting it in ${delayMs} ms`);
      await sleep(delayMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (isStopped()) return;
      try {
        current = await ('path' in place ? takeOver(place.path, open) : open());
        // The listener was stopped meanwhile, and removed the socket before this one was bound.
        if (isStopped() && 'path' in place) await unlink(place.path).catch(() => undefined);
        return;
      } catch (error) {
        reason = messageOf(error);
      }
    }
  };

  let current = await open();
  return {
    async stop() {
      stopped.abort();
      await replacing;
      await current.stop();
    },
    close: () => current.close(),
  };
}
