import type { HookCall, HookEvent } from '../../contract/event.js';
import { denialIsAnswered, effectOf } from '../libvirt/catalog.js';
import type { Allowance } from './budget.js';
import { consult, type CheckReplacement } from './consult.js';
import { decide } from './decide.js';
import type { LoadedHandler } from './loaded-handler.js';
import type { HandlerRecord, Verdict } from '../../contract/verdict.js';

export interface ChainOptions {
  readonly call: HookCall;
  /** Handlers in the order in which they run. */
  readonly handlers: readonly LoadedHandler[];
  readonly checkReplacement: CheckReplacement;
  /** Remaining budget of the guest start that the event belongs to; null or absent when there is none. */
  readonly allowance?: Allowance | null;
}

export interface ChainResult {
  readonly verdict: Verdict;
  /** The replacement of the document; null when there is none or the answer is a denial. */
  readonly document: Buffer | null;
}

/**
 * Runs the handlers of one event and forms the verdict. The first denial that is sent to libvirt ends the chain of
 * enforcing handlers; a denial that would do harm, or that libvirt ignores, is only recorded. Monitors run after the
 * decision, with the document as it was at their position, so that they cannot delay or influence it. Never rejects
 * because of a handler.
 */
export async function runChain(options: ChainOptions): Promise<ChainResult> {
  const { call, handlers, checkReplacement, allowance = null } = options;
  const { event, document: original } = call;
  const records = new Map<LoadedHandler, readonly HandlerRecord[]>();
  const monitors: { loaded: LoadedHandler; seen: HookCall }[] = [];
  let replaced: Buffer | null = null;
  let denial: { readonly reason: string; readonly answered: boolean } | null = null;

  for (const loaded of handlers) {
    const seen: HookCall = { event, document: replaced ?? original };
    if (loaded.config.mode === 'monitor') {
      monitors.push({ loaded, seen });
      continue;
    }
    if (denial?.answered === true) continue;
    const decision = await decide({ loaded, call: seen, original, checkReplacement, allowance });
    records.set(loaded, decision.records);
    if (decision.outcome.outcome === 'replace') replaced = decision.outcome.document;
    if (decision.outcome.outcome === 'deny') {
      const answered = denialIsAnswered(event, decision.by.config.grants);
      if (denial === null || answered) denial = { reason: decision.outcome.reason, answered };
    }
  }
  for (const { loaded, seen } of monitors) {
    const { record } = await consult({
      loaded,
      call: seen,
      original,
      checkReplacement,
      allowance,
      mode: 'monitor',
    });
    records.set(loaded, [record]);
  }

  const unlessDenied = replaced === null ? 'allow' : 'replace';
  return {
    verdict: {
      verdict: denial === null ? unlessDenied : 'deny',
      reason: denial?.reason ?? null,
      effect: effectOf(event),
      answered: denial?.answered === true ? 'deny' : unlessDenied,
      event: shownEvent(event),
      handlers: handlers.flatMap((loaded) => records.get(loaded) ?? []),
    },
    document: denial?.answered === true ? null : replaced,
  };
}

function shownEvent({ id, kind, name, event, qualifier, extra, driver }: HookEvent): Verdict['event'] {
  return { id, kind, name, event, qualifier, extra, driver };
}
