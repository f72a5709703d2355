import { availableParallelism } from 'node:os';
import type { Handler } from '../../runtime/backend.js';
import type { HandlerConfig } from '../../runtime/config/config.js';
import { defaultCache } from '../../runtime/config/defaults.js';
import { HookvisorError } from '../../contract/errors.js';
import { createSandbox } from '../../runtime/sandbox.js';

/**
 * Several runner processes that hold the same plug-ins. One runner decides one event at a time, and a replay has
 * thousands. Disposing the pool terminates the processes.
 */
export interface RunnerPool extends AsyncDisposable {
  /** How many events to keep in flight. */
  readonly concurrency: number;
  /**
   * Loads a plug-in into every runner. Throws HookvisorError as the runtime would, and `usage` for a script: a script
   * may have side effects, so a replay must not run it again.
   */
  load(config: HandlerConfig): Promise<Handler>;
}

/** This machine may be slower than the host, so time proves nothing about the host: only fuel is compared. */
const leastDeadlineMs = 60_000;

/** More runners would only wait for the process that reads the journal. */
const mostRunners = 8;

/** Returns a pool. Its processes start with the first plug-in. */
export function createRunnerPool(count = Math.min(mostRunners, Math.max(2, availableParallelism()))): RunnerPool {
  // A problem of the sandbox shows in the results, so its log is dropped.
  const sandbox = createSandbox({ cache: defaultCache(), log: () => undefined });
  const inFlight = Array.from({ length: count }, () => 0);
  return {
    concurrency: 4 * count,
    async load(config) {
      const { backend, limits } = config;
      if (backend === 'script') {
        throw new HookvisorError('usage', `Cannot replay handler '${config.name}': it is a script; name a plug-in`);
      }
      const patient = { ...limits, deadlineMs: Math.max(limits.deadlineMs, leastDeadlineMs) };
      const load = (runner: number): Promise<Handler> =>
        sandbox.backend(backend).load({ ...config, limits: patient, trust: `replay-${runner}` });
      // The first load admits the plug-in and fills the cache for the others.
      const first = await load(0);
      const handlers = [first, ...(await Promise.all(inFlight.slice(1).map((_, at) => load(at + 1))))];
      return {
        digest: first.digest,
        async evaluate(call) {
          const runner = inFlight.indexOf(Math.min(...inFlight));
          inFlight[runner] = (inFlight[runner] ?? 0) + 1;
          try {
            return await (handlers[runner] ?? first).evaluate(call);
          } finally {
            inFlight[runner] = (inFlight[runner] ?? 1) - 1;
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
