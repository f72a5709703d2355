import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { type GateOptions, listenWithGate } from './gate.js';
import type { Listener } from './listener.js';
import { takeOver } from './stale-socket.js';

/** A gate that lived shorter than this counts as one that does not start, milliseconds. */
const steadyMs = 1_000;
const longestDelayMs = 5_000;

export interface SteadyGateOptions extends Omit<GateOptions, 'onGone'> {
  readonly log: Log;
}

/**
 * Listens through the gate and starts it again when it is lost: the calls that it had taken are decided and journaled,
 * and their hooks see a runtime that hung up. Throws as {@link listenWithGate} does when it cannot listen at first.
 */
export async function listenWithSteadyGate({ log, ...options }: SteadyGateOptions): Promise<Listener> {
  const { place } = options;
  const stopped = new AbortController();
  let startedAt = 0;
  let delayMs = 0;
  let replacing = Promise.resolve();

  // A function, since the compiler does not see what happens during an `await`.
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
      log('error', `The process that takes the hook calls is gone (${reason}); it is started again in ${delayMs} ms`);
      await sleep(delayMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (isStopped()) return;
      try {
        current = await ('path' in place ? takeOver(place.path, open) : open());
        // Whoever stopped meanwhile has removed the socket before this one was bound.
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
