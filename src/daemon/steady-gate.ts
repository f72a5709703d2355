import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { listenWithGate } from './gate.js';
import type { Listener, ListenerOptions } from './listener.js';

/** A gate that lived shorter than this counts as one that does not start, milliseconds. */
const steadyMs = 1_000;
const longestDelayMs = 5_000;

/**
 * Listens through the gate and starts it again when it is lost: the calls that it had taken are decided and journaled,
 * and their hooks see a runtime that hung up. Throws as {@link listenWithGate} does when it cannot listen at first.
 */
export async function listenWithSteadyGate(options: ListenerOptions, log: Log): Promise<Listener> {
  const { place } = options;
  let stopped = false;
  let startedAt = 0;
  let delayMs = 0;

  // A function, since the compiler does not see what happens during an `await`.
  const isStopped = (): boolean => stopped;
  const open = async (): Promise<Listener> => {
    startedAt = performance.now();
    return listenWithGate({ ...options, onGone: (how) => void again(how) });
  };
  const again = async (how: string): Promise<void> => {
    if (isStopped()) return;
    delayMs = performance.now() - startedAt >= steadyMs ? 0 : Math.min(longestDelayMs, 2 * delayMs + 100);
    log('error', `The process that takes the hook calls is gone (${how}); it is started again in ${delayMs} ms`);
    await sleep(delayMs);
    if (isStopped()) return;
    if ('path' in place) await unlink(place.path).catch(() => undefined);
    try {
      current = await open();
    } catch (error) {
      await again(messageOf(error));
    }
  };

  let current = await open();
  return {
    async stop() {
      stopped = true;
      await current.stop();
    },
    close: () => current.close(),
  };
}
