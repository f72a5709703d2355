import { performance } from 'node:perf_hooks';
import { messageOf } from '../../contract/errors.js';
import type { HookCall } from '../../contract/event.js';
import { takesDocument } from '../libvirt/catalog.js';
import { bounds } from '../../contract/limits.js';
import { HandlerFailure, type Evaluation, type Outcome } from '../../contract/outcome.js';
import { oneLine } from '../../contract/text.js';
import type { Allowance } from './budget.js';
import type { LoadedHandler } from './loaded-handler.js';
import type { HandlerRecord } from '../../contract/verdict.js';

/** Returns why libvirt could not use a replacement, or null when it could. */
export type CheckReplacement = (original: Buffer, replacement: Buffer) => string | null | Promise<string | null>;

/** The outcome of one handler (null after a failure) and its record. */
export interface Consultation {
  readonly outcome: Outcome | null;
  readonly record: HandlerRecord;
}

export interface ConsultOptions {
  readonly loaded: LoadedHandler;
  /** The event, with the document after the handlers before this one. */
  readonly call: HookCall;
  /** The document as libvirt wrote it. */
  readonly original: Buffer | null;
  readonly checkReplacement: CheckReplacement;
  readonly mode: 'enforce' | 'monitor';
  /** Remaining budget of the guest start that the event belongs to; null or absent when there is none. */
  readonly allowance?: Allowance | null;
  /** The handler that this one replaces as a fallback; null or absent otherwise. */
  readonly fallbackFor?: string | null;
}

/** Asks one handler about one event. Never rejects: errors become failures in the record. */
export async function consult(options: ConsultOptions): Promise<Consultation> {
  const { config } = options.loaded;
  const { fallbackFor = null } = options;
  const began = performance.now();
  const record = (
    rest: Pick<HandlerRecord, 'outcome' | 'reason' | 'failure'>,
    spent: Pick<Evaluation, 'fuel' | 'logs'>,
  ): HandlerRecord => ({
    handler: config.name,
    backend: config.backend,
    mode: options.mode,
    ...(fallbackFor === null ? {} : { fallbackFor }),
    outcome: rest.outcome,
    reason: rest.reason,
    failure: rest.failure,
    fuel: spent.fuel,
    durationUs: Math.round((performance.now() - began) * 1_000),
    logs: [...spent.logs],
  });

  let spent: Pick<Evaluation, 'fuel' | 'logs'> = { fuel: null, logs: [] };
  let leftMs: number | null = null;
  try {
    leftMs = leftOf(options);
    const evaluation = await options.loaded.handler.evaluate(options.call, leftMs ?? undefined);
    spent = evaluation;
    const outcome = cleaned(evaluation.outcome);
    if (outcome.outcome === 'replace') await assertUsable(outcome.document, options);
    const reason = outcome.outcome === 'deny' ? outcome.reason : null;
    return { outcome, record: record({ outcome: outcome.outcome, reason, failure: null }, spent) };
  } catch (error) {
    const cause = causeOf(error, leftMs, options);
    const failed = cause instanceof HandlerFailure ? cause : null;
    const reason = oneLine(messageOf(cause), bounds.reasonChars);
    return {
      outcome: null,
      record: record(
        { outcome: null, reason, failure: failed?.failure ?? 'unavailable' },
        {
          fuel: failed?.fuel ?? spent.fuel,
          logs: failed !== null && failed.logs.length > 0 ? failed.logs : spent.logs,
        },
      ),
    };
  }
}

/** Returns the remaining budget in whole milliseconds; null without a budget. Throws when it is exhausted. */
function leftOf({ loaded, allowance = null }: ConsultOptions): number | null {
  if (allowance === null) return null;
  const leftMs = Math.floor(allowance.leftMs());
  if (leftMs >= 1) return leftMs;
  const message = `Cannot ask the handler '${loaded.config.name}': ${budgetOf(allowance)} is exhausted; ${advice}`;
  throw new HandlerFailure('deadline', message);
}

/** Returns the cause of a failure. A deadline that the budget shortened is attributed to the budget. */
function causeOf(error: unknown, leftMs: number | null, { loaded, allowance = null }: ConsultOptions): unknown {
  const { name, limits } = loaded.config;
  if (allowance === null || leftMs === null || leftMs >= limits.deadlineMs) return error;
  if (!(error instanceof HandlerFailure) || error.failure !== 'deadline') return error;
  const message = `Cannot wait for the handler '${name}': after ${leftMs} ms ${budgetOf(allowance)} was exhausted; ${advice}`;
  return new HandlerFailure('deadline', message, { cause: error, fuel: error.fuel, logs: error.logs });
}

const advice = `raise 'budget', or find the slow handler in the journal`;

function budgetOf({ totalMs }: Allowance): string {
  return `the budget of ${totalMs} ms for the start of one guest`;
}

function cleaned(outcome: Outcome): Outcome {
  if (outcome.outcome !== 'deny') return outcome;
  const reason = oneLine(outcome.reason, bounds.reasonChars);
  return { outcome: 'deny', reason: reason === '' ? 'no reason given' : reason };
}

/** Throws HandlerFailure `not-granted` or `bad-replacement` when the document may not, or cannot, be replaced. */
async function assertUsable(replacement: Buffer, options: ConsultOptions): Promise<void> {
  const { event } = options.call;
  const refuse = (failure: 'not-granted' | 'bad-replacement', what: string): never => {
    throw new HandlerFailure(failure, `Cannot replace the document of '${event.event}': ${what}`);
  };
  if (!options.loaded.config.grants.has('replace')) {
    refuse('not-granted', "the handler does not have the grant 'replace'; add it to its grants");
  }
  if (!takesDocument(event)) {
    refuse('not-granted', 'libvirt does not accept a document for this operation; replace only at migrate or restore');
  }
  if (options.original === null) {
    return refuse('bad-replacement', 'the event has no document; allow or deny it instead');
  }
  const problem = await options.checkReplacement(options.original, replacement);
  if (problem !== null) refuse('bad-replacement', problem);
}
