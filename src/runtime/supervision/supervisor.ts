import type { Log } from '../log.js';
import { type BreakerStatus, createBreaker, type Pass, refusalText } from './breaker.js';
import { createIdleTimer } from './idle-timer.js';
import { loadRequest, settle, startLoadedRunner, unloadTask } from './loaded-runner.js';
import type { LoadedPlugin, LoadedRunner, PluginSpec } from './loaded-runner.js';
import type { Launcher } from '../isolation/launcher.js';
import { createMaintenance } from './maintenance.js';
import { recycleLimits, type RecycleLimits } from './recycling.js';
import { runMaintenance } from './run-maintenance.js';
import type { Answer, Lost } from './runner.js';
import { RunnerLifecycle } from './runner-lifecycle.js';
import { runnerState, type RunnerStatus } from './runner-status.js';
import { createTaskQueue, type Task } from './task-queue.js';

/** Keeps the runner of one trust group alive and sends it one request at a time. */
export interface Supervisor extends AsyncDisposable {
  /** Loads a plug-in. Returns its number in requests, or why it cannot be loaded. */
  load(spec: PluginSpec): Promise<number | Answer | Lost>;
  unload(handler: number): void;
  /** Queues a request, or fails it immediately while its breaker is open. */
  submit(task: Task): void;
  status(): RunnerStatus;
  /** Returns the state of the breaker of a loaded plug-in; null if there is no such plug-in. */
  breaker(handler: number): BreakerStatus | null;
}

export interface SupervisorOptions {
  readonly trust: string;
  readonly log: Log;
  readonly launcher: Launcher;
  /** Usage at which a process is replaced. */
  readonly recycle?: RecycleLimits;
  /** Milliseconds without an event after which a runner frees memory. */
  readonly idleMs?: number;
  /** A process that exits on its own within this many milliseconds counts as one that could not start. */
  readonly stableAfterMs?: number;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new RunnerSupervisor(options);
}

class RunnerSupervisor implements Supervisor {
  readonly #trust: string;
  readonly #plugins = new Map<number, LoadedPlugin>();
  readonly #queue = createTaskQueue();
  readonly #lifecycle: RunnerLifecycle;
  readonly #maintenance: ReturnType<typeof createMaintenance>;
  readonly #idle: ReturnType<typeof createIdleTimer>;
  #nextHandler = 0;
  #inFlight: 'nothing' | 'task' | 'maintenance' = 'nothing';
  /** Scheduled when the queue becomes empty; maintenance runs then. */
  #quietMoment: NodeJS.Immediate | null = null;

  constructor({
    trust,
    log,
    launcher,
    recycle = recycleLimits,
    idleMs = 60_000,
    stableAfterMs = 1_000,
  }: SupervisorOptions) {
    this.#trust = trust;
    const onReady = (): void =>
      void setImmediate(() => {
        this.#pump();
      });
    const onGone = (runner: LoadedRunner, how: string): void => {
      this.#lifecycle.gone(runner, how);
      // Its successor may already be ready, but could not take over while this one was busy.
      this.#pump();
    };
    this.#lifecycle = new RunnerLifecycle({
      trust,
      log,
      stableAfterMs,
      start: () => startLoadedRunner({ plugins: this.#plugins, log, launcher, onReady, onGone }),
      onStartFailed: (how) => {
        this.#queue.fail(`its runner cannot be started: ${how}`, (task) => task.request.kind !== 'evaluate');
      },
    });
    this.#maintenance = createMaintenance({
      limits: recycle,
      isEligible: (handler) =>
        this.#lifecycle.current?.loaded.has(handler) === true &&
        this.#plugins.get(handler)?.breaker.status().state === 'closed',
      onRecycle: (why) => {
        this.#lifecycle.replace(why);
      },
    });
    this.#idle = createIdleTimer(idleMs, () => {
      this.#maintenance.idle();
      this.#pump();
    });
  }

  submit(task: Task): void {
    const refused = this.#pluginOf(task)?.breaker.refusal() ?? null;
    if (this.#lifecycle.state === 'closed' || refused !== null) {
      const message = refused === null ? 'its runner is closed' : refusalText(refused);
      task.done({ failure: 'unavailable', message, sent: false });
      return;
    }
    this.#queue.push(task);
    this.#pump();
  }

  load(spec: PluginSpec): Promise<number | Answer | Lost> {
    const handler = this.#nextHandler++;
    return new Promise((resolve) => {
      const done = (answer: Answer | Lost): void => {
        if ('failure' in answer || answer.reply.kind !== 'done') {
          resolve(answer);
          return;
        }
        this.#plugins.set(handler, { spec, breaker: createBreaker() });
        this.#lifecycle.current?.loaded.add(handler);
        this.#maintenance.add(handler);
        resolve(handler);
      };
      this.submit({ ...loadRequest(handler, spec), done });
    });
  }

  unload(handler: number): void {
    if (!this.#plugins.delete(handler)) return;
    this.#maintenance.remove(handler);
    this.submit(unloadTask(handler));
  }

  breaker(handler: number): BreakerStatus | null {
    return this.#plugins.get(handler)?.breaker.status() ?? null;
  }

  status(): RunnerStatus {
    const { pid, state, restarts, replacements } = this.#lifecycle;
    return {
      trust: this.#trust,
      pid,
      state: runnerState(state, this.#inFlight === 'task'),
      handlers: [...this.#plugins.values()].map(({ spec }) => spec.name),
      restarts,
      replacements,
      queued: this.#queue.length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#quietMoment !== null) clearImmediate(this.#quietMoment);
    this.#idle.stop();
    const closed = this.#lifecycle.close();
    this.#queue.fail('its runner is closed', () => true);
    await closed;
  }

  /** Sends what is due, if nothing is in flight. */
  #pump(): void {
    if (this.#inFlight !== 'nothing') return;
    this.#changeOver();
    const runner = this.#lifecycle.current;
    if (runner === null) return;
    if (this.#maintenance.overdue && this.#maintain()) return;
    const task = this.#queue.shift();
    if (task === undefined) {
      this.#maintainWhenQuiet();
      return;
    }
    const plugin = this.#pluginOf(task);
    const pass = plugin?.breaker.enter() ?? null;
    if (pass !== null && 'failures' in pass) {
      task.done({ failure: 'unavailable', message: refusalText(pass), sent: false });
      this.#pump();
      return;
    }
    this.#inFlight = 'task';
    this.#send(runner, { task, plugin, pass });
  }

  #changeOver(): void {
    const runner = this.#lifecycle.changeOver();
    if (runner === null) return;
    this.#maintenance.renewed();
    for (const handler of runner.loaded) if (!this.#plugins.has(handler)) this.#queue.push(unloadTask(handler));
  }

  #send(runner: LoadedRunner, sent: { task: Task; plugin: LoadedPlugin | null; pass: Pass | null }): void {
    const { task, plugin } = sent;
    const finish = (answer: Answer | Lost): void => {
      this.#finish(runner, sent, answer);
    };
    if (task.request.kind === 'evaluate' && plugin !== null) {
      const { handler } = task.request;
      this.#maintenance.evaluated(handler);
      this.#idle.touch();
      if (!runner.loaded.has(handler)) {
        runner.load(handler, plugin, (lost) => {
          if (lost === null) runner.runner.request(task.request, task, finish);
          else finish(lost);
        });
        return;
      }
    }
    runner.runner.request(task.request, task, finish);
  }

  #finish(
    runner: LoadedRunner,
    { task, plugin, pass }: { task: Task; plugin: LoadedPlugin | null; pass: Pass | null },
    answer: Answer | Lost,
  ): void {
    this.#inFlight = 'nothing';
    if (pass !== null) settle(pass, answer);
    if ('failure' in answer) {
      this.#lifecycle.failed(runner, answer.sent);
      if (!answer.sent) {
        this.#queue.putBack(task);
        return;
      }
      if (plugin !== null) this.#failRefused(plugin);
    } else this.#lifecycle.answered();
    task.done(answer);
    this.#pump();
  }

  /** Returns false if there is nothing to do. */
  #maintain(): boolean {
    const runner = this.#lifecycle.current;
    const task = runner === null ? null : this.#maintenance.next();
    if (runner === null || task === null) return false;
    const plugin = task.handler === null ? null : (this.#plugins.get(task.handler) ?? null);
    this.#inFlight = 'maintenance';
    runMaintenance(runner, { task, plugin }, (lost) => {
      this.#inFlight = 'nothing';
      if (lost !== null) this.#lifecycle.failed(runner, lost.hung);
      this.#pump();
    });
    return true;
  }

  /** Waits one turn of the event loop, so that a chain can first ask its next handler, or libvirt gets its answer. */
  #maintainWhenQuiet(): void {
    this.#quietMoment ??= setImmediate(() => {
      this.#quietMoment = null;
      if (this.#inFlight === 'nothing') this.#maintain();
    });
  }

  #failRefused({ breaker }: LoadedPlugin): void {
    const refused = breaker.refusal();
    if (refused !== null) this.#queue.fail(refusalText(refused), (task) => this.#pluginOf(task)?.breaker === breaker);
  }

  #pluginOf({ request }: Task): LoadedPlugin | null {
    return request.kind === 'evaluate' ? (this.#plugins.get(request.handler) ?? null) : null;
  }
}
