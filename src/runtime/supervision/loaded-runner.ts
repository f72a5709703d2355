import type { Log } from '../log.js';
import type { Limits } from '../../contract/limits.js';
import type { Breaker, Pass } from './breaker.js';
import type { Launcher } from '../isolation/launcher.js';
import { startRunner } from './runner.js';
import type { Answer, Lost, Runner } from './runner.js';
import type { Task } from './task-queue.js';

/** A plug-in as it is sent to a runner. It stays in memory, so that it can be sent to a new runner. */
export interface PluginSpec {
  /** Name of the handler, for messages. */
  readonly name: string;
  /** Encoded artefact. */
  readonly artefact: Buffer;
  /** Settings as JSON text. */
  readonly settings: string;
  readonly limits: Limits;
}

export interface LoadedPlugin {
  readonly spec: PluginSpec;
  readonly breaker: Breaker;
}

/** A runner process and the plug-ins that are loaded into it. */
export interface LoadedRunner {
  readonly runner: Runner;
  /** Numbers of the plug-ins that were sent to it. */
  readonly loaded: Set<number>;
  /** When it finished loading its plug-ins, by `performance.now()`; null until then. */
  readonly readySince: number | null;
  /** Loads another plug-in. Calls back with null if the process survives, whether or not the plug-in was loaded. */
  load(handler: number, plugin: LoadedPlugin, done: (lost: Lost | null) => void): void;
}

export interface LoadedRunnerOptions {
  readonly plugins: ReadonlyMap<number, LoadedPlugin>;
  readonly log: Log;
  readonly launcher: Launcher;
  /** Called once when the plug-ins are loaded. */
  readonly onReady: () => void;
  /** Called once when the process has exited, with a description of how. */
  readonly onGone: (runner: LoadedRunner, how: string) => void;
}

/** Timeout for loading a plug-in or checking its settings; nothing else can run in the meantime. */
export const loadDeadlineMs = 30_000;

/** Starts a process and loads all plug-ins whose breaker is closed; the others when their breaker allows a trial. */
export function startLoadedRunner({ plugins, log, launcher, onReady, onGone }: LoadedRunnerOptions): LoadedRunner {
  const loaded = new Set<number>();
  let readySince: number | null = null;
  const runner = startRunner(launcher, (how) => {
    onGone(self, how);
  });
  const load: LoadedRunner['load'] = (handler, { spec }, done) => {
    const { request, tail, deadlineMs } = loadRequest(handler, spec);
    runner.request(request, { tail, deadlineMs }, (answer) => {
      if ('failure' in answer) {
        done(answer);
        return;
      }
      loaded.add(handler);
      if (answer.reply.kind === 'failed') {
        log('error', `Cannot load handler '${spec.name}' again: ${answer.reply.message}; its events fail`);
      }
      done(null);
    });
  };
  const loadNext = (): void => {
    const next = [...plugins].find(([handler, { breaker }]) => !loaded.has(handler) && isClosed(breaker));
    if (next === undefined) {
      readySince = performance.now();
      onReady();
      return;
    }
    const [handler, plugin] = next;
    const pass = plugin.breaker.enter();
    load(handler, plugin, (lost) => {
      if ('settle' in pass) settle(pass, lost);
      // If the process was lost, `onGone` follows.
      if (lost === null) loadNext();
    });
  };
  const self: LoadedRunner = {
    runner,
    loaded,
    load,
    get readySince() {
      return readySince;
    },
  };
  loadNext();
  return self;
}

const isClosed = (breaker: Breaker): boolean => breaker.status().state === 'closed';

/** Settles a pass with the result of a request. Null and an answer mean that the process survived. */
export function settle(pass: Pass, answer: Answer | Lost | null): void {
  if (answer === null || !('failure' in answer)) pass.settle('answered');
  else pass.settle(answer.sent ? 'cost-a-runner' : 'not-sent');
}

/**
 * Tells whether a process has run for `afterMs` without a failure. A runner without plug-ins is ready before its
 * process has started, and the process may take seconds to start and then die, so the first answer counts.
 */
export function isStable({ readySince, runner: { answeredSince } }: LoadedRunner, afterMs: number): boolean {
  return (
    readySince !== null && answeredSince !== null && performance.now() - Math.max(readySince, answeredSince) >= afterMs
  );
}

export function loadRequest(handler: number, { artefact, settings, limits }: PluginSpec): Omit<Task, 'done'> {
  return {
    request: { kind: 'load', handler, settings, limits },
    tail: artefact,
    deadlineMs: loadDeadlineMs,
  };
}

export function unloadTask(handler: number): Task {
  return { request: { kind: 'unload', handler }, tail: null, deadlineMs: loadDeadlineMs, done: () => undefined };
}
