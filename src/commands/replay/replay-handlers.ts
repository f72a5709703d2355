import type { Handler } from '../../runtime/backend.js';
import type { HandlerConfig } from '../../runtime/config/config.js';
import { consult } from '../../runtime/dispatch/consult.js';
import type { HookCall } from '../../contract/event.js';
import { identityOf } from '../../runtime/journal/entry.js';
import { loadXml } from '../../shared/xml/document.js';
import { type Comparison, isTransient, nothingReplayed, type Replayed } from './compared.js';
import type { RecordedCall } from './recorded-call.js';
import { type ComparableAnswer, answerInRecord, answerOf } from './comparable-answer.js';
import { documentSeenBy, replacementBy } from './seen-document.js';

/** A plug-in that is loaded for a replay. */
export interface ReplayHandler {
  readonly config: HandlerConfig;
  readonly handler: Handler;
}

export type Replay = (recorded: RecordedCall) => Promise<Replayed>;

/** Returns a replay of one plug-in over the events that the handler of its name was asked about. */
export function replayHandler(asked: ReplayHandler, baseline: ReplayHandler | null): Replay {
  const { name } = asked.config;
  return async (recorded) => {
    const { call, record } = recorded;
    if (record === null) {
      const before = baseline === null ? null : await ask(baseline, call, call.document);
      const after = await ask(asked, call, call.document);
      return { compared: [{ event: call.event, handler: name, before, after, redacted: false }], notComparable: [] };
    }
    const at = record.handlers.findIndex(({ handler }) => handler === name);
    const then = record.handlers[at];
    if (then === undefined) return nothingReplayed;
    const seen = documentSeenBy(recorded, at);
    if ('why' in seen) return { compared: [], notComparable: [{ handler: name, why: seen.why }] };
    const after = await ask(asked, { event: call.event, document: seen.document }, call.document);
    const before = answerInRecord(then, seen.redacted ? null : replacementBy(recorded, at));
    return {
      compared: [{ event: call.event, handler: name, before, after, redacted: seen.redacted }],
      notComparable: [],
    };
  };
}

/** Returns a replay in which every unchanged handler must reproduce its answers exactly. */
export function replayExactly(handlers: ReadonlyMap<string, ReplayHandler>): Replay {
  return async (recorded) => {
    const { call, record } = recorded;
    if (record === null) return { compared: [], notComparable: [{ handler: null, why: 'no decision was recorded' }] };
    const compared: Comparison[] = [];
    const notComparable: { handler: string; why: string }[] = [];
    for (const [at, then] of record.handlers.entries()) {
      const asked = handlers.get(then.handler);
      const seen = documentSeenBy(recorded, at);
      const why = obstacle(asked, then) ?? ('why' in seen ? seen.why : seen.redacted ? redactedWhy : null);
      if (why !== null || asked === undefined || 'why' in seen) {
        notComparable.push({ handler: then.handler, why: why ?? 'it cannot be replayed' });
        continue;
      }
      const after = await ask(asked, { event: call.event, document: seen.document }, call.document);
      const before = answerInRecord(then, replacementBy(recorded, at));
      compared.push({ event: call.event, handler: then.handler, before, after, redacted: false });
    }
    return { compared, notComparable };
  };
}

const redactedWhy = 'secrets were removed from its document';

type HandlerEntry = NonNullable<RecordedCall['record']>['handlers'][number];

/** Returns why a handler may answer differently than recorded; null when it must answer the same. */
function obstacle(asked: ReplayHandler | undefined, then: HandlerEntry): string | null {
  if (then.backend === 'script') return 'it is a script';
  if (asked === undefined) return 'the configuration has no such plug-in';
  const { digest, settings } = identityOf(asked.handler, asked.config.settings);
  if (then.digest !== digest) return 'its plug-in has changed';
  if (then.settings !== settings) return 'its settings have changed';
  return isTransient(then) ? `its failure was transient (${then.failure ?? ''})` : null;
}

/** Asks a handler; `original` is the document as libvirt wrote it. */
async function ask(
  { config, handler }: ReplayHandler,
  call: HookCall,
  original: Buffer | null,
): Promise<ComparableAnswer> {
  const loaded = { config, handler, fallback: null };
  return answerOf(await consult({ loaded, call, original, checkReplacement, mode: config.mode }));
}

/** Returns why libvirt could not use a replacement, or null. */
export async function checkReplacement(original: Buffer, replacement: Buffer): Promise<string | null> {
  return (await loadXml()).checkReplacement(original, replacement);
}
