import type { Answer, Lost } from './runner.js';
import type { RunnerRequest } from '../../contract/messages.js';

/** A request that waits for its runner. */
export interface Task {
  readonly request: RunnerRequest;
  /** Document or encoded artefact. */
  readonly tail: Buffer | null;
  /** Starts when the request is sent. */
  readonly deadlineMs: number;
  /** Called once. */
  done(answer: Answer | Lost): void;
}

/** Tasks in order of arrival. A task that waits five seconds longer than its deadline fails as `unavailable`. */
export interface TaskQueue {
  readonly length: number;
  push(task: Task): void;
  /** Returns a task to the front of the queue, because it was not sent. */
  putBack(task: Task): void;
  shift(): Task | undefined;
  /** Fails all matching tasks immediately. */
  fail(message: string, matches: (task: Task) => boolean): void;
}

const patienceMs = 5_000;
const sweepMs = 250;

export function createTaskQueue(): TaskQueue {
  let waiting: { readonly task: Task; readonly expiresAt: number }[] = [];
  let sweeping: NodeJS.Timeout | null = null;

  const failWhere = (
    messageFor: (task: Task) => string,
    matches: (entry: (typeof waiting)[number]) => boolean,
  ): void => {
    const failing = waiting.filter(matches);
    if (failing.length === 0) return;
    waiting = waiting.filter((entry) => !matches(entry));
    for (const { task } of failing) task.done({ failure: 'unavailable', message: messageFor(task), sent: false });
  };
  const sweep = (): void => {
    sweeping = null;
    const now = performance.now();
    failWhere(
      (task) => `its runner was busy for ${task.deadlineMs + patienceMs} ms`,
      ({ expiresAt }) => expiresAt <= now,
    );
    watch();
  };
  const watch = (): void => {
    if (sweeping === null && waiting.length > 0) sweeping = setTimeout(sweep, sweepMs);
  };
  const entryOf = (task: Task): (typeof waiting)[number] => ({
    task,
    expiresAt: performance.now() + task.deadlineMs + patienceMs,
  });

  return {
    get length() {
      return waiting.length;
    },
    push(task) {
      waiting.push(entryOf(task));
      watch();
    },
    putBack(task) {
      waiting.unshift(entryOf(task));
      watch();
    },
    shift: () => waiting.shift()?.task,
    fail(message, matches) {
      failWhere(
        () => message,
        ({ task }) => matches(task),
      );
    },
  };
}
