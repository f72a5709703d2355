import type { Limits } from '../limits.js';
import type { Log } from '../log.js';
import { startRunner } from './runner.js';
import type { Answer, Lost, Runner } from './runner.js';
import { createTaskQueue } from './task-queue.js';
import type { Task } from './task-queue.js';

/** A plugin as a runner is given it. Kept in memory, so that a new runner can be given it again. */
export interface GuestSpec {
  /** Name of the handler, for messages. */
  readonly name: string;
  /** Encoded artefact. */
  readonly artefact: Buffer;
  /** Settings as JSON text. */
  readonly settings: string;
  readonly limits: Limits;
}

export interface RunnerStatus {
  readonly trust: string;
  /** Null while no process runs. */
  readonly pid: number | null;
  readonly state: 'starting' | 'ready' | 'busy' | 'waiting to restart' | 'closed';
  /** Names of the handlers loaded in it. */
  readonly handlers: readonly string[];
  readonly restarts: number;
  /** Requests that wait. */
  readonly queued: number;
}

/** Keeps one trust group's runner alive and gives it one request at a time. */
export interface Supervisor extends AsyncDisposable {
  /** Loads a plugin and gives the number by which requests name it; the reason when it cannot be loaded. */
  load(spec: GuestSpec): Promise<number | Answer | Lost>;
  unload(handler: number): void;
  /** Sends a request as soon as those before it are answered. */
  submit(task: Task): void;
  status(): RunnerStatus;
}

/** Loading and checking settings happen while nothing else can: generous, and still an end. */
export const loadDeadlineMs = 30_000;
const firstBackoffMs = 100;
const longestBackoffMs = 5_000;
/** A runner that dies by itself sooner than this after its start counts as one that could not start. */
const stableAfterMs = 1_000;

export function createSupervisor({ trust, log }: { trust: string; log: Log }): Supervisor {
  const loaded = new Map<number, GuestSpec>();
  const queue = createTaskQueue();
  let nextHandler = 0;
  let state: 'starting' | 'ready' | 'ending' | 'backoff' | 'closed' = 'starting';
  let runner: Runner | null = null;
  let busy = false;
  let restarts = 0;
  let startFailures = 0;
  let readySince = 0;
  /** Whether a request is to blame for the end of the runner: then the next one starts without delay. */
  let blamed = false;
  let backoff: NodeJS.Timeout | null = null;

  const start = (): void => {
    state = 'starting';
    blamed = false;
    runner = startRunner(ended);
    bringUp(runner, [...loaded]);
  };

  /** Loads one handler after the other, then lets the waiting requests in. */
  const bringUp = (into: Runner, rest: [number, GuestSpec][]): void => {
    const [next, ...others] = rest;
    if (next === undefined) {
      state = 'ready';
      readySince = performance.now();
      pump();
      return;
    }
    const [handler, spec] = next;
    into.request(...loadRequest(handler, spec), (answer) => {
      // A lost runner is on its way to `ended`.
      if ('failure' in answer) return;
      if (answer.reply.reply === 'failed') {
        log('error', `Cannot load handler '${spec.name}' again: ${answer.reply.message}; its events fail`);
      }
      bringUp(into, others);
    });
  };

  const ended = (how: string): void => {
    runner = null;
    if (state === 'closed') return;
    restarts += 1;
    const stable = state !== 'starting' && performance.now() - readySince >= stableAfterMs;
    const about = `Runner of trust group '${trust}' is gone (${how})`;
    if (blamed || stable) {
      log('warn', `${about}; it is started again`);
      start();
      return;
    }
    startFailures += 1;
    const delay = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (startFailures - 1));
    log('error', `${about}; it is started again in ${delay} ms`);
    state = 'backoff';
    queue.fail(`its runner does not start: ${how}`, (task) => task.request.request !== 'evaluate');
    backoff = setTimeout(start, delay);
  };

  const pump = (): void => {
    if (busy || state !== 'ready' || runner === null) return;
    const task = queue.shift();
    if (task === undefined) return;
    busy = true;
    runner.request(task.request, task, (answer) => {
      busy = false;
      if (!('failure' in answer)) {
        startFailures = 0;
      } else if (state === 'ready') {
        state = 'ending';
        blamed = answer.sent;
        if (!answer.sent) {
          queue.putBack(task);
          return;
        }
      }
      task.done(answer);
      pump();
    });
  };

  const submit = (task: Task): void => {
    if (state === 'closed') {
      task.done({ failure: 'unavailable', message: 'its runner is closed', sent: false });
      return;
    }
    queue.push(task);
    pump();
  };

  start();
  return {
    submit,
    load(spec) {
      const handler = nextHandler++;
      const [request, options] = loadRequest(handler, spec);
      return new Promise((resolve) => {
        const done = (answer: Answer | Lost): void => {
          if ('failure' in answer || answer.reply.reply !== 'done') {
            resolve(answer);
            return;
          }
          loaded.set(handler, spec);
          resolve(handler);
        };
        submit({ request, ...options, done });
      });
    },
    unload(handler) {
      if (!loaded.delete(handler)) return;
      submit({
        request: { request: 'unload', handler },
        tail: null,
        deadlineMs: loadDeadlineMs,
        done: () => undefined,
      });
    },
    status: () => ({
      trust,
      pid: runner?.pid ?? null,
      state:
        state === 'backoff' || state === 'ending' ? 'waiting to restart' : busy && state === 'ready' ? 'busy' : state,
      handlers: [...loaded.values()].map(({ name }) => name),
      restarts,
      queued: queue.length,
    }),
    async [Symbol.asyncDispose]() {
      state = 'closed';
      if (backoff !== null) clearTimeout(backoff);
      queue.fail('its runner is closed', () => true);
      await runner?.end();
    },
  };
}

function loadRequest(
  handler: number,
  { artefact, settings, limits }: GuestSpec,
): [Task['request'], Omit<Task, 'request' | 'done'>] {
  return [
    { request: 'load', handler, settings, limits },
    { tail: artefact, deadlineMs: loadDeadlineMs },
  ];
}
