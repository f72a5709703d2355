import type { PassResult } from './breaker.js';
import type { LoadedPlugin, LoadedRunner } from './loaded-runner.js';
import type { MaintenanceTask } from './maintenance.js';

/** Timeout for tasks that belong to no plug-in, milliseconds. */
const deadlineMs = 5_000;

/**
 * Runs a maintenance task in a process and calls back once: with null after a reply, otherwise with whether the process
 * hung. A process that died while it created an instance may have been killed from outside, so only a hang counts
 * against the breaker of the plug-in.
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
