import { consult } from '../../runtime/dispatch/consult.js';
import type { HookCall } from '../../contract/event.js';
import { denialIsAnswered, effectOf } from '../../runtime/libvirt/catalog.js';
import { checkReplacement, type ReplayHandler } from '../replay/replay-handlers.js';
import { differingFields, type ComparableAnswer, answerOf } from '../replay/comparable-answer.js';

/**
 * What a plug-in must not do:
 *
 * - `failed`: it could not decide;
 * - `unsteady`: it answered the same event differently the second time;
 * - `useless-denial`: it denied where the denial is not sent to libvirt, because it would do harm or nothing.
 */
export interface Violation {
  readonly kind: 'failed' | 'unsteady' | 'useless-denial';
  readonly what: string;
}

/** The answer of a plug-in and its violation, if any. */
export interface Judged {
  readonly answer: ComparableAnswer;
  /** Whether libvirt would receive a denial. */
  readonly denied: boolean;
  readonly violation: Violation | null;
}

/** Asks a plug-in twice about the same event. */
export async function judge(asked: ReplayHandler, call: HookCall): Promise<Judged> {
  const first = await ask(asked, call);
  const second = await ask(asked, call);
  const answered = denialIsAnswered(call.event, asked.config.grants);
  return {
    answer: first,
    denied: first.outcome === 'deny' && answered,
    violation: violationOf(call, { first, second, answered }),
  };
}

function violationOf(
  call: HookCall,
  asked: { first: ComparableAnswer; second: ComparableAnswer; answered: boolean },
): Violation | null {
  const { first, second, answered } = asked;
  if (first.failure !== null) return { kind: 'failed', what: `it failed (${first.failure}): ${first.reason ?? ''}` };
  const differing = differingFields(first, second);
  if (differing.length > 0) {
    return { kind: 'unsteady', what: `it answered the same event differently: ${differing.join(' and ')} differ` };
  }
  if (first.outcome !== 'deny' || answered) return null;
  const effect = effectOf(call.event);
  return {
    kind: 'useless-denial',
    what: `it denied '${call.event.event}', but this denial is not sent to libvirt (${effect}): ${first.reason ?? ''}`,
  };
}

async function ask({ config, handler }: ReplayHandler, call: HookCall): Promise<ComparableAnswer> {
  const loaded = { config, handler, fallback: null };
  return answerOf(await consult({ loaded, call, original: call.document, checkReplacement, mode: 'enforce' }));
}
