import { hash } from 'node:crypto';
import type { Handler } from '../backend.js';
import type { HandlerConfig } from '../config/config.js';
import type { Verdict } from '../../contract/verdict.js';
import type { HookCall } from '../../contract/event.js';
import { type DocumentRef, journalVersion, type LineBody } from './record.js';
import type { Stored } from './store-document.js';

/** The exact plug-in and settings of a handler when it decided. */
export interface HandlerIdentity {
  /** sha256 of the plug-in; null for a script. */
  readonly digest: string | null;
  /** sha256 of the settings as JSON. */
  readonly settings: string;
}

export function identityOf(handler: Pick<Handler, 'digest'>, settings: HandlerConfig['settings']): HandlerIdentity {
  return { digest: handler.digest, settings: hash('sha256', settings) };
}

/** One decided event. */
export interface JournalEntry {
  readonly call: HookCall;
  readonly verdict: Verdict;
  /** The document that is sent to libvirt; null if no handler replaced it. */
  readonly replacement: Buffer | null;
  /** Identities of the handlers by name. */
  readonly identities: ReadonlyMap<string, HandlerIdentity>;
}

type DocumentLine = LineBody & { readonly type: 'document' };

/**
 * Returns the lines of one event: those of its documents, then its own.
 *
 * @param store converts a document to its stored form
 */
export function linesOf(
  entry: JournalEntry,
  store: (document: Buffer) => Stored,
): { readonly documents: readonly DocumentLine[]; readonly event: LineBody } {
  const { call, verdict, replacement, identities } = entry;
  const documents = new Map<string, DocumentLine>();
  const refer = (document: Buffer | null): DocumentRef | null => {
    if (document === null) return null;
    const { ref, line } = store(document);
    if (line !== null) documents.set(line.sha256, line);
    return ref;
  };
  const event: LineBody = {
    type: 'event',
    v: journalVersion,
    time: call.event.time,
    uuid: call.event.uuid,
    document: refer(call.document),
    replacement: refer(replacement),
    verdict: verdict.verdict,
    reason: verdict.reason,
    effect: verdict.effect,
    answered: verdict.answered,
    event: verdict.event,
    handlers: verdict.handlers.map((one) => {
      const identity = identities.get(one.handler);
      return { ...one, digest: identity?.digest ?? null, settings: identity?.settings ?? null };
    }),
  };
  return { documents: [...documents.values()], event };
}
