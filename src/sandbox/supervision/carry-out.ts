import type { PassResult } from './breaker.js';
import type { Crew, Member } from './crew.js';
import type { Chore } from './upkeep.js';

/** For chores that belong to no plugin, milliseconds. */
const deadlineMs = 5_000;

/**
 * Has a process do a chore, and calls back once: with null when it is done, else with whether the process hung. One that
 * died while it made an instance may have been killed from outside; one that hung was not, and costs the plugin a pass.
 */
export function carryOut(
  { runner }: Crew,
  { chore, member }: { readonly chore: Chore; readonly member: Member | null },
  done: (lost: { readonly hung: boolean } | null) => void,
): void {
  const pass = member?.breaker.enter() ?? null;
  const settle = (result: PassResult): void => {
    if (pass !== null && 'settle' in pass) pass.settle(result);
  };
  const options = { tail: null, deadlineMs: member?.spec.limits.deadlineMs ?? deadlineMs };
  runner.request(chore.request, options, (answer) => {
    if ('failure' in answer) {
      const hung = answer.failure === 'deadline';
      settle(hung ? 'cost-a-runner' : 'not-sent');
      chore.lost();
      done({ hung });
    } else {
      settle('answered');
      chore.done(answer.reply);
      done(null);
    }
  });
}
