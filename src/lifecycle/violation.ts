import { consult } from '../dispatch/consult.js';
import type { HookCall } from '../event.js';
import { denialIsAnswered, effectOf } from '../libvirt/catalog.js';
import { checkReplacement, type ReplayHandler } from '../replay/replay-handlers.js';
import { differingFields, type ComparableAnswer, answerOf } from '../replay/comparable-answer.js';

/** What a plug-in must not do:
 * - `failed`: it could not decide;
 * - `unsteady`: it said something else when it was asked the same again;
 * - `useless-denial`: it denied where libvirt is not told, since that would do harm or nothing at all.
 */
export interface Violation {
  readonly kind: 'failed' | 'unsteady' | 'useless-denial';
  readonly what: string;
}

/** What a plug-in said, and what is wrong with that. */
export interface Judged {
  readonly said: ComparableAnswer;
  /** Whether libvirt would be told to stop. */
  readonly denied: boolean;
  readonly violation: Violation | null;
}

/** Asks a plug-in twice. */
export async function judge(asked: ReplayHandler, call: HookCall): Promise<Judged> {
  const said = await ask(asked, call);
  const again = await ask(asked, call);
  const answered = denialIsAnswered(call.event, asked.config.grants);
  return {
    said,
    denied: said.outcome === 'deny' && answered,
    violation: violationOf(call, { said, again, answered }),
  };
}

function violationOf(
  call: HookCall,
  asked: { said: ComparableAnswer; again: ComparableAnswer; answered: boolean },
): Violation | null {
  const { said, again, answered } = asked;
  if (said.failure !== null) return { kind: 'failed', what: `it failed (${said.failure}): ${said.reason ?? ''}` };
  const differing = differingFields(said, again);
  if (differing.length > 0) {
    return { kind: 'unsteady', what: `asked twice, it gave two answers: ${differing.join(' and ')} differ` };
  }
  if (said.outcome !== 'deny' || answered) return null;
  const effect = effectOf(call.event);
  return {
    kind: 'useless-denial',
    what: `it denied '${call.event.event}', where libvirt is not told (${effect}): ${said.reason ?? ''}`,
  };
}

async function ask({ config, handler }: ReplayHandler, call: HookCall): Promise<ComparableAnswer> {
  const loaded = { config, handler, fallback: null };
  return answerOf(await consult({ loaded, call, original: call.document, checkReplacement, mode: 'enforce' }));
}
