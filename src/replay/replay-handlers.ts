import type { Handler } from '../backends/backend.js';
import type { HandlerConfig } from '../config/config.js';
import { consult } from '../dispatch/consult.js';
import type { HookCall } from '../event.js';
import { identityOf } from '../journal/entry.js';
import { loadXml } from '../libvirt/document.js';
import { type Comparison, isOfItsMoment, nothingReplayed, type Replayed } from './compared.js';
import type { RecordedCall } from './recorded-call.js';
import { type ComparableAnswer, answerInRecord, answerOf } from './comparable-answer.js';
import { documentSeenBy, replacementBy } from './seen-document.js';

/** A plug-in, loaded to be asked again. */
export interface ReplayHandler {
  readonly config: HandlerConfig;
  readonly handler: Handler;
}

export type Replay = (recorded: RecordedCall) => Promise<Replayed>;

/** What one plug-in says now about events that the handler of its name was asked about. */
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

/** The same answers, to the last digit, of every handler that is still what it was. */
export function replayExactly(handlers: ReadonlyMap<string, ReplayHandler>): Replay {
  return async (recorded) => {
    const { call, record } = recorded;
    if (record === null) return { compared: [], notComparable: [{ handler: null, why: 'nothing was decided then' }] };
    const compared: Comparison[] = [];
    const notComparable: { handler: string; why: string }[] = [];
    for (const [at, then] of record.handlers.entries()) {
      const asked = handlers.get(then.handler);
      const seen = documentSeenBy(recorded, at);
      const why = obstacle(asked, then) ?? ('why' in seen ? seen.why : seen.redacted ? redactedWhy : null);
      if (why !== null || asked === undefined || 'why' in seen) {
        notComparable.push({ handler: then.handler, why: why ?? 'it cannot be asked' });
        continue;
      }
      const after = await ask(asked, { event: call.event, document: seen.document }, call.document);
      const before = answerInRecord(then, replacementBy(recorded, at));
      compared.push({ event: call.event, handler: then.handler, before, after, redacted: false });
    }
    return { compared, notComparable };
  };
}

const redactedWhy = 'secrets were cut out of its document';

type HandlerEntry = NonNullable<RecordedCall['record']>['handlers'][number];

/** Why a handler's answer need not be the one of then; null when it must be. */
function obstacle(asked: ReplayHandler | undefined, then: HandlerEntry): string | null {
  if (then.backend === 'script') return 'it is a script';
  if (asked === undefined) return 'the configuration has no such plugin';
  const { digest, settings } = identityOf(asked.handler, asked.config.settings);
  if (then.digest !== digest) return 'its plug-in is another';
  if (then.settings !== settings) return 'its settings are others';
  return isOfItsMoment(then) ? `it failed for a reason of that moment (${then.failure ?? ''})` : null;
}

/** `original` is the document as libvirt wrote it. */
async function ask(
  { config, handler }: ReplayHandler,
  call: HookCall,
  original: Buffer | null,
): Promise<ComparableAnswer> {
  const loaded = { config, handler, fallback: null };
  return answerOf(await consult({ loaded, call, original, checkReplacement, mode: config.mode }));
}

/** Why libvirt could not use a replacement, or null. */
export async function checkReplacement(original: Buffer, replacement: Buffer): Promise<string | null> {
  return (await loadXml()).checkReplacement(original, replacement);
}
