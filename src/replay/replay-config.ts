import type { Handler } from '../backends/backend.js';
import type { Config } from '../config/config.js';
import { runChain } from '../dispatch/chain.js';
import { linkHandlers } from '../dispatch/loaded-handler.js';
import { createRouter } from '../dispatch/router.js';
import type { Verdict } from '../dispatch/verdict.js';
import type { HookEvent } from '../event.js';
import { HandlerFailure, type Outcome } from '../outcome.js';
import type { RecordedCall } from './recorded-call.js';
import { checkReplacement, type Replay, type ReplayHandler } from './replay-handlers.js';
import { type ComparableAnswer, sha256 } from './comparable-answer.js';

/** Events under way, and what is wrong with them when a script was needed that did not run then. */
type UnderWay = WeakMap<HookEvent, { readonly recorded: RecordedCall; missing: string | null }>;

/**
 * What libvirt would be told by a whole configuration. Scripts are not run: they may do anything, so what they said then
 * counts, and an event in which one would be asked that was not asked then cannot be compared.
 */
export function replayConfig(config: Config, plugins: ReadonlyMap<string, ReplayHandler>): Replay {
  const underWay: UnderWay = new WeakMap();
  const loaded = new Map(
    [...config.handlers].map(([name, one]) => [
      name,
      { config: one, handler: plugins.get(name)?.handler ?? recordedScript(name, underWay) },
    ]),
  );
  const route = createRouter({ routes: config.routes, handlers: linkHandlers(loaded) });
  return async (recorded) => {
    const { call, record } = recorded;
    if (record !== null && record.document !== null && call.document === null) {
      return { compared: [], notComparable: [{ handler: null, why: 'its document is not stored' }] };
    }
    const state: { recorded: RecordedCall; missing: string | null } = { recorded, missing: null };
    underWay.set(call.event, state);
    const { verdict, document } = await runChain({ call, handlers: route(call.event), checkReplacement });
    if (state.missing !== null) {
      return {
        compared: [],
        notComparable: [
          {
            handler: state.missing,
            why: record === null ? 'a script, which is not run' : 'a script that was not asked then',
          },
        ],
      };
    }
    const after = saidBy(verdict, document === null ? null : sha256(document));
    const redacted = record?.document?.redacted ?? false;
    const stored = record?.replacement ?? null;
    const before = record === null ? null : saidBy(record, stored?.redacted === false ? stored.sha256 : null);
    return {
      compared: [{ event: call.event, handler: null, before, after, redacted }],
      notComparable: [],
    };
  };
}

/** A verdict as one answer: what libvirt is told, the fuel of all plug-ins, and the first failure. */
function saidBy(verdict: Verdict, document: string | null): ComparableAnswer {
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

/** Stands in for a script: says again what it said then. */
function recordedScript(name: string, underWay: UnderWay): Handler {
  const sayAgain = (event: HookEvent): Outcome => {
    const state = underWay.get(event);
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
    evaluate: ({ event }) => Promise.resolve().then(() => ({ outcome: sayAgain(event), fuel: null, logs: [] })),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
