import type { Handler } from '../../runtime/backend.js';
import type { Config } from '../../runtime/config/config.js';
import { runChain } from '../../runtime/dispatch/chain.js';
import { linkHandlers } from '../../runtime/dispatch/loaded-handler.js';
import { createRouter } from '../../runtime/dispatch/router.js';
import type { Verdict } from '../../contract/verdict.js';
import type { HookEvent } from '../../contract/event.js';
import { HandlerFailure, type Outcome } from '../../contract/outcome.js';
import type { RecordedCall } from './recorded-call.js';
import { checkReplacement, type Replay, type ReplayHandler } from './replay-handlers.js';
import { type ComparableAnswer, sha256 } from './comparable-answer.js';

/** Events in flight; `missing` names a script that was needed but has no recorded answer. */
type InFlight = WeakMap<HookEvent, { readonly recorded: RecordedCall; missing: string | null }>;

/**
 * Returns a replay of a whole configuration: the answers that libvirt would receive. Scripts may have side effects, so
 * they are not run; their recorded answers are used. An event that needs a script without a recorded answer cannot be
 * compared.
 */
export function replayConfig(config: Config, plugins: ReadonlyMap<string, ReplayHandler>): Replay {
  const inFlight: InFlight = new WeakMap();
  const loaded = new Map(
    [...config.handlers].map(([name, one]) => [
      name,
      { config: one, handler: plugins.get(name)?.handler ?? recordedScript(name, inFlight) },
    ]),
  );
  const route = createRouter({ routes: config.routes, handlers: linkHandlers(loaded) });
  return async (recorded) => {
    const { call, record } = recorded;
    if (record !== null && record.document !== null && call.document === null) {
      return { compared: [], notComparable: [{ handler: null, why: 'its document is not stored' }] };
    }
    const state: { recorded: RecordedCall; missing: string | null } = { recorded, missing: null };
    inFlight.set(call.event, state);
    const { verdict, document } = await runChain({ call, handlers: route(call.event), checkReplacement });
    if (state.missing !== null) {
      return {
        compared: [],
        notComparable: [
          {
            handler: state.missing,
            why: record === null ? 'a script, which is not run' : 'a script without a recorded answer',
          },
        ],
      };
    }
    const after = summaryOf(verdict, document === null ? null : sha256(document));
    const redacted = record?.document?.redacted ?? false;
    const stored = record?.replacement ?? null;
    const before = record === null ? null : summaryOf(record, stored?.redacted === false ? stored.sha256 : null);
    return {
      compared: [{ event: call.event, handler: null, before, after, redacted }],
      notComparable: [],
    };
  };
}

/** Summarizes a verdict: the answer to libvirt, the fuel of all plug-ins, and the first failure. */
function summaryOf(verdict: Verdict, document: string | null): ComparableAnswer {
  const failed = verdict.handlers.find(({ failure }) => failure !== null);
  const burnt = verdict.handlers.flatMap(({ fuel }) => fuel ?? []);
  return {
    outcome: verdict.answered,
    reason: verdict.answered === 'deny' ? verdict.reason : (failed?.reason ?? null),
    failure: failed?.failure ?? null,
    fuel: burnt.length === 0 ? null : burnt.reduce((sum, fuel) => sum + fuel, 0),
    logs: verdict.handlers.flatMap(({ logs }) => logs),
    document,
  };
}

/** Creates a handler that repeats the recorded answers of a script. */
function recordedScript(name: string, inFlight: InFlight): Handler {
  const recordedOutcome = (event: HookEvent): Outcome => {
    const state = inFlight.get(event);
    const then = state?.recorded.record?.handlers.find(({ handler }) => handler === name);
    if (then === undefined) {
      if (state !== undefined) state.missing = name;
      return { outcome: 'allow' };
    }
    if (then.outcome === null) throw new HandlerFailure(then.failure ?? 'unavailable', then.reason ?? '');
    if (then.outcome === 'deny') return { outcome: 'deny', reason: then.reason ?? '' };
    if (then.outcome === 'allow') return { outcome: 'allow' };
    const document = state?.recorded.replacement() ?? null;
    if (document === null && state !== undefined) state.missing = name;
    return document === null ? { outcome: 'allow' } : { outcome: 'replace', document };
  };
  return {
    digest: null,
    evaluate: ({ event }) => Promise.resolve().then(() => ({ outcome: recordedOutcome(event), fuel: null, logs: [] })),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
