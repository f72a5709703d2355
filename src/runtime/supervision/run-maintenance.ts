import type { PassResult } from './breaker.js';
import type { LoadedPlugin, LoadedRunner } from './loaded-runner.js';
import type { MaintenanceTask } from './maintenance.js';

/** For tasks that belong to no plug-in, milliseconds. */
const deadlineMs = 5_000;

/**
 * Has a process run a maintenance task and calls back once: with null if it replied, otherwise with whether it hung. A
 * process that died while it made an instance may have been killed from outside, so only a hang counts against the
 * plug-in's breaker.
 */
export function runMaintenance(
  { runner }: LoadedRunner,
  { task, plugin }: { readonly task: MaintenanceTask; readonly plugin: LoadedPlugin | null },
  done: (lost: { readonly hung: boolean } | null) => void,
): void {
  const pass = plugin?.breaker.enter() ?? null;
  const settle = (result: PassResult): void => {
    if (pass !== null && 'settle' in pass) pass.settle(result);
  };
  const options = { tail: null, deadlineMs: plugin?.spec.limits.deadlineMs ?? deadlineMs };
  runner.request(task.request, options, (answer) => {
    if ('failure' in answer) {
      const hung = answer.failure === 'deadline';
      settle(hung ? 'cost-a-runner' : 'not-sent');
      task.lost();
      done({ hung });
    } else {
      settle('answered');
      task.done(answer.reply);
      done(null);
    }
  });
}
