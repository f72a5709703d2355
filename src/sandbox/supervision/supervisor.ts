import type { Log } from '../../log.js';
import { type BreakerStatus, createBreaker, type Pass, refusalText } from './breaker.js';
import { carryOut } from './carry-out.js';
import { isStable, loadRequest, restartDelayMs, settle, startCrew, unloadTask } from './crew.js';
import type { Crew, GuestSpec, Member } from './crew.js';
import type { Launcher } from '../isolation/launcher.js';
import { createQuietWatch } from './quiet-watch.js';
import type { Answer, Lost } from './runner.js';
import { runnerState, type RunnerStatus } from './runner-status.js';
import { createTaskQueue, type Task } from './task-queue.js';
import { createUpkeep } from './upkeep.js';
import { wearBounds, type WearBounds } from './wear.js';

/** Keeps one trust group's runner alive and gives it one request at a time. */
export interface Supervisor extends AsyncDisposable {
  /** Loads a plugin and gives the number by which requests name it; the reason when it cannot be loaded. */
  load(spec: GuestSpec): Promise<number | Answer | Lost>;
  unload(handler: number): void;
  /** Sends a request as soon as those before it are answered, or fails it at once while its breaker is open. */
  submit(task: Task): void;
  status(): RunnerStatus;
  /** The breaker of a loaded plugin, null when there is no such plugin. */
  breaker(handler: number): BreakerStatus | null;
}

export interface SupervisorOptions {
  readonly trust: string;
  readonly log: Log;
  readonly launcher: Launcher;
  /** When a process is replaced. */
  readonly wear?: WearBounds;
  /** After so many milliseconds without an event a runner gives memory back. */
  readonly idleMs?: number;
  /** A process that dies by itself within so many milliseconds counts as one that could not start. */
  readonly stableAfterMs?: number;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { trust, log, launcher, wear = wearBounds, idleMs = 60_000, stableAfterMs = 1_000 } = options;
  const members = new Map<number, Member>();
  const queue = createTaskQueue();
  const retired = new Set<Promise<void>>();
  let nextHandler = 0;
  let current: Crew | null = null;
  /** Takes the place of `current` between two requests, as soon as its plugins are loaded. */
  let coming: Crew | null = null;
  let doing: 'nothing' | 'task' | 'chore' = 'nothing';
  /** Whether `current` has been lost and is not gone yet. */
  let ending = false;
  /** Whether a request is to blame for that: then the next process is started without delay. */
  let blamed = false;
  let closed = false;
  let restarts = 0;
  let replacements = 0;
  let startFailures = 0;
  let backoff: NodeJS.Timeout | null = null;
  let lull: NodeJS.Immediate | null = null;

  const upkeep = createUpkeep({
    wear,
    mayPrepare: (handler) =>
      current?.holds.has(handler) === true && members.get(handler)?.breaker.status().state === 'closed',
    onWorn(why) {
      if (closed || coming !== null) return;
      log('info', `Runner of trust group '${trust}' is replaced: ${why}`);
      start();
    },
  });
  const idle = createQuietWatch(idleMs, () => {
    upkeep.idle();
    pump();
  });

  const start = (): void => {
    backoff = null;
    coming = startCrew({ members, log, launcher, onReady: () => void setImmediate(pump), onGone: gone });
  };

  const gone = (crew: Crew, how: string): void => {
    if (closed || (crew !== current && crew !== coming)) return;
    const about = `Runner of trust group '${trust}' is gone (${how})`;
    if (crew === coming) {
      coming = null;
      if (current === null) startLater(about, how);
      else log('warn', `${about} before it could replace another; that one goes on`);
      return;
    }
    const atOnce = blamed || isStable(crew, stableAfterMs);
    current = null;
    ending = blamed = false;
    restarts += 1;
    if (coming !== null) log('warn', `${about}; another is about to take its place`);
    else if (atOnce) {
      log('warn', `${about}; it is started again`);
      start();
    } else startLater(about, how);
    // Its successor may have been ready for long: the one that is gone was busy then.
    pump();
  };

  const startLater = (about: string, how: string): void => {
    startFailures += 1;
    const delay = restartDelayMs(startFailures);
    log('error', `${about}; it is started again in ${delay} ms`);
    queue.fail(`its runner does not start: ${how}`, (task) => task.request.request !== 'evaluate');
    backoff = setTimeout(start, delay);
  };

  /** Lets the new process serve, and the old one end by itself. */
  const changeOver = (): void => {
    if (coming?.readySince === null || coming === null) return;
    const old = current;
    current = coming;
    coming = null;
    upkeep.renewed();
    for (const handler of current.holds) if (!members.has(handler)) submit(unloadTask(handler));
    if (old === null) return;
    replacements += 1;
    const ended = old.runner.end().finally(() => retired.delete(ended));
    retired.add(ended);
  };

  const pump = (): void => {
    if (closed || ending || doing !== 'nothing') return;
    changeOver();
    if (current === null) return;
    if (upkeep.overdue && doChore()) return;
    const task = queue.shift();
    if (task === undefined) {
      // By then a chain has asked its next handler, and the last one's answer is on its way to libvirt.
      lull ??= setImmediate(() => {
        lull = null;
        if (doing === 'nothing') doChore();
      });
      return;
    }
    const member = memberOf(task);
    const pass = member?.breaker.enter() ?? null;
    if (pass !== null && 'failures' in pass) {
      task.done({ failure: 'unavailable', message: refusalText(pass), sent: false });
      pump();
      return;
    }
    doing = 'task';
    send(current, { task, member, pass });
  };

  const send = (crew: Crew, { task, member, pass }: { task: Task; member: Member | null; pass: Pass | null }): void => {
    const finish = (answer: Answer | Lost): void => {
      doing = 'nothing';
      if (pass !== null) settle(pass, answer);
      if (!('failure' in answer)) {
        startFailures = 0;
      } else {
        lose(crew, answer.sent);
        if (!answer.sent) {
          queue.putBack(task);
          return;
        }
        if (member !== null) failRefused(member);
      }
      task.done(answer);
      pump();
    };
    if (task.request.request === 'evaluate' && member !== null) {
      const { handler } = task.request;
      upkeep.evaluated(handler);
      idle.touch();
      if (!crew.holds.has(handler)) {
        crew.load(handler, member, (lost) => {
          if (lost === null) crew.runner.request(task.request, task, finish);
          else finish(lost);
        });
        return;
      }
    }
    crew.runner.request(task.request, task, finish);
  };

  /** False when there is none to do. */
  const doChore = (): boolean => {
    const chore = current === null || ending || closed ? null : upkeep.next();
    if (chore === null || current === null) return false;
    const crew = current;
    const member = chore.handler === null ? null : (members.get(chore.handler) ?? null);
    doing = 'chore';
    carryOut(crew, { chore, member }, (lost) => {
      doing = 'nothing';
      if (lost !== null) lose(crew, lost.hung);
      pump();
    });
    return true;
  };

  const lose = (crew: Crew, isBlamed: boolean): void => {
    if (crew !== current) return;
    ending = true;
    blamed = isBlamed;
  };
  const failRefused = ({ breaker }: Member): void => {
    const refused = breaker.refusal();
    if (refused !== null) queue.fail(refusalText(refused), (task) => memberOf(task)?.breaker === breaker);
  };
  const memberOf = ({ request }: Task): Member | null =>
    request.request === 'evaluate' ? (members.get(request.handler) ?? null) : null;

  const submit = (task: Task): void => {
    const refused = memberOf(task)?.breaker.refusal() ?? null;
    if (closed || refused !== null) {
      const message = refused === null ? 'its runner is closed' : refusalText(refused);
      task.done({ failure: 'unavailable', message, sent: false });
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
      return new Promise((resolve) => {
        const done = (answer: Answer | Lost): void => {
          if ('failure' in answer || answer.reply.reply !== 'done') {
            resolve(answer);
            return;
          }
          members.set(handler, { spec, breaker: createBreaker() });
          current?.holds.add(handler);
          upkeep.add(handler);
          resolve(handler);
        };
        submit({ ...loadRequest(handler, spec), done });
      });
    },
    unload(handler) {
      if (!members.delete(handler)) return;
      upkeep.remove(handler);
      submit(unloadTask(handler));
    },
    breaker: (handler) => members.get(handler)?.breaker.status() ?? null,
    status: () => ({
      trust,
      pid: current?.runner.pid ?? coming?.runner.pid ?? null,
      state: runnerState({ closed, waiting: backoff !== null || ending, serving: current !== null, doing }),
      handlers: [...members.values()].map(({ spec }) => spec.name),
      restarts,
      replacements,
      queued: queue.length,
    }),
    async [Symbol.asyncDispose]() {
      closed = true;
      if (lull !== null) clearImmediate(lull);
      idle.stop();
      if (backoff !== null) clearTimeout(backoff);
      queue.fail('its runner is closed', () => true);
      await Promise.all([current?.runner.end(), coming?.runner.end(), ...retired]);
    },
  };
}
