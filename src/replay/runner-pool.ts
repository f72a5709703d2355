import { availableParallelism } from 'node:os';
import type { Handler } from '../backends/backend.js';
import type { HandlerConfig } from '../config/config.js';
import { defaultCache } from '../config/defaults.js';
import { HookvisorError } from '../errors.js';
import { createSandbox } from '../sandbox/sandbox.js';

/**
 * Several runner processes that hold the same plugins: a runner decides one event at a time, a replay has thousands.
 * Disposing them ends the processes.
 */
export interface Lanes extends AsyncDisposable {
  /** How many events are worth having under way. */
  readonly atOnce: number;
  /**
   * Loads a plugin into every lane. Throws HookvisorError as the runtime would, and `usage` for a script: those may do
   * anything, so they are not run again.
   */
  load(config: HandlerConfig): Promise<Handler>;
}

/** This machine may be slower than the host, and its time says nothing about the host's: only fuel is compared. */
const leastDeadlineMs = 60_000;

/** More than these wait for each other in the process that reads the journal. */
const mostLanes = 8;

/** Lanes without any process yet. */
export function createLanes(count = Math.min(mostLanes, Math.max(2, availableParallelism()))): Lanes {
  // What the sandbox tells the administrator shows in the results.
  const sandbox = createSandbox({ cache: defaultCache(), log: () => undefined });
  const busy = Array.from({ length: count }, () => 0);
  return {
    atOnce: 4 * count,
    async load(config) {
      const { backend, limits } = config;
      if (backend === 'script') {
        throw new HookvisorError('usage', `Cannot replay handler '${config.name}': it is a script; name a plugin`);
      }
      const patient = { ...limits, deadlineMs: Math.max(limits.deadlineMs, leastDeadlineMs) };
      const load = (lane: number): Promise<Handler> =>
        sandbox.backend(backend).load({ ...config, limits: patient, trust: `lane-${lane}` });
      // The first admits the plugin, the others find it admitted.
      const first = await load(0);
      const handlers = [first, ...(await Promise.all(busy.slice(1).map((_, at) => load(at + 1))))];
      return {
        digest: first.digest,
        async evaluate(call) {
          const lane = busy.indexOf(Math.min(...busy));
          busy[lane] = (busy[lane] ?? 0) + 1;
          try {
            return await (handlers[lane] ?? first).evaluate(call);
          } finally {
            busy[lane] = (busy[lane] ?? 1) - 1;
          }
        },
        async [Symbol.asyncDispose]() {
          await Promise.all(handlers.map((handler) => handler[Symbol.asyncDispose]()));
        },
      };
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}
