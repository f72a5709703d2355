import type { Log } from '../../log.js';
import type { Limits } from '../../limits.js';
import type { Breaker, Pass } from './breaker.js';
import type { Launcher } from '../isolation/launcher.js';
import { startRunner } from './runner.js';
import type { Answer, Lost, Runner } from './runner.js';
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

export interface Member {
  readonly spec: GuestSpec;
  readonly breaker: Breaker;
}

/** A runner process and what has been loaded into it. */
export interface Crew {
  readonly runner: Runner;
  /** Numbers of the plugins that were given to it. */
  readonly holds: Set<number>;
  /** When it had loaded its plugins; null until then. */
  readonly readySince: number | null;
  /** Loads one more; null when the process is still there, whether or not the plugin could be loaded. */
  load(handler: number, member: Member, done: (lost: Lost | null) => void): void;
}

export interface CrewOptions {
  readonly members: ReadonlyMap<number, Member>;
  readonly log: Log;
  readonly launcher: Launcher;
  /** Called once when its plugins are loaded. */
  readonly onReady: () => void;
  /** Called once when the process is gone, with how it ended in words. */
  readonly onGone: (crew: Crew, how: string) => void;
}

/** Loading and checking settings happen while nothing else can: generous, and still an end. */
export const loadDeadlineMs = 30_000;

/** Starts a process and loads what is not known to cost it: the rest is loaded when its breaker lets it be tried. */
export function startCrew({ members, log, launcher, onReady, onGone }: CrewOptions): Crew {
  const holds = new Set<number>();
  let readySince: number | null = null;
  const runner = startRunner(launcher, (how) => {
    onGone(crew, how);
  });
  const load: Crew['load'] = (handler, { spec }, done) => {
    const { request, tail, deadlineMs } = loadRequest(handler, spec);
    runner.request(request, { tail, deadlineMs }, (answer) => {
      if ('failure' in answer) {
        done(answer);
        return;
      }
      holds.add(handler);
      if (answer.reply.reply === 'failed') {
        log('error', `Cannot load handler '${spec.name}' again: ${answer.reply.message}; its events fail`);
      }
      done(null);
    });
  };
  const muster = (): void => {
    const next = [...members].find(([handler, { breaker }]) => !holds.has(handler) && isClosed(breaker));
    if (next === undefined) {
      readySince = performance.now();
      onReady();
      return;
    }
    const [handler, member] = next;
    const pass = member.breaker.enter();
    load(handler, member, (lost) => {
      if ('settle' in pass) settle(pass, lost);
      // A process lost on the way is on its way to `onGone`.
      if (lost === null) muster();
    });
  };
  const crew: Crew = {
    runner,
    holds,
    load,
    get readySince() {
      return readySince;
    },
  };
  muster();
  return crew;
}

const isClosed = (breaker: Breaker): boolean => breaker.status().state === 'closed';

/** Tells a breaker what came of a request; null and an answer mean that the process is well. */
export function settle(pass: Pass, answer: Answer | Lost | null): void {
  if (answer === null || !('failure' in answer)) pass.settle('answered');
  else pass.settle(answer.sent ? 'cost-a-runner' : 'not-sent');
}

/**
 * Whether a process has been well for so long. One that had nothing to load is ready before it has started, and counts
 * from its first answer: it may take seconds to start, and die then.
 */
export function isStable({ readySince, runner: { answeredSince } }: Crew, afterMs: number): boolean {
  return (
    readySince !== null && answeredSince !== null && performance.now() - Math.max(readySince, answeredSince) >= afterMs
  );
}

/** How long to wait after so many processes that could not start: 100 ms, doubling to 5 s. */
export function restartDelayMs(failures: number): number {
  return Math.min(5_000, 100 * 2 ** (failures - 1));
}

export function loadRequest(handler: number, { artefact, settings, limits }: GuestSpec): Omit<Task, 'done'> {
  return {
    request: { request: 'load', handler, settings, limits },
    tail: artefact,
    deadlineMs: loadDeadlineMs,
  };
}

export function unloadTask(handler: number): Task {
  return { request: { request: 'unload', handler }, tail: null, deadlineMs: loadDeadlineMs, done: () => undefined };
}
