import { HookvisorError } from './errors.js';
import { encodeFrame } from './framing.js';
import { bounds } from './limits.js';
import type { MessageHead, RunnerReply, RunnerRequest } from './messages.js';

/**
 * The two messages of nearly every event, encoded without JSON: with cold caches, writing and parsing JSON took a fifth
 * of an event's time. Numbers are big endian.
 *
 *   evaluate    u32 id, u32 handler, f64 time, u8 flags, 8 × u32 length, text, document
 *   evaluated   u32 id, u8 outcome, f64 fuel (NaN for null), u32 bytes of the reason, reason, replaced document
 *
 * `text` contains the event's texts one after the other, in UTF-8. The eight lengths are those of the texts in UTF-16
 * code units, as JavaScript counts, and the length of `text` in bytes.
 */
export const evaluationTypes = { evaluate: 5, evaluated: 6 } as const;

type Evaluate = Extract<RunnerRequest, { kind: 'evaluate' }>;
type Evaluated = Extract<RunnerReply, { kind: 'evaluated' }>;

interface Decoded<Head> {
  readonly head: Head;
  readonly tail: Buffer;
}

const flags = { document: 1, extra: 2, uuid: 4 } as const;
const outcomes = ['allow', 'deny', 'replace'] as const;
const texts = 8;
const textsAt = 4 + 4 + 8 + 1;
const textAt = textsAt + 4 * texts + 4;
const reasonAt = 4 + 1 + 8 + 4;

export function encodeEvaluate(id: number, { handler, event, document }: Evaluate, tail: Uint8Array | null): Buffer {
  const { extra, uuid } = event;
  const all = [event.id, event.kind, event.name, event.event, event.qualifier, extra ?? '', event.driver, uuid ?? ''];
  const text = all.join('');
  const head = Buffer.allocUnsafe(textAt + 3 * text.length);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(handler, 4);
  head.writeDoubleBE(event.time, 8);
  head[16] = (document ? flags.document : 0) | (extra === null ? 0 : flags.extra) | (uuid === null ? 0 : flags.uuid);
  for (let at = 0; at < texts; at += 1) head.writeUInt32BE(all[at]?.length ?? 0, textsAt + 4 * at);
  const size = head.write(text, textAt);
  head.writeUInt32BE(size, textAt - 4);
  const used = head.subarray(0, textAt + size);
  return tail === null
    ? encodeFrame(evaluationTypes.evaluate, used)
    : encodeFrame(evaluationTypes.evaluate, used, tail);
}

/**
 * Decodes `evaluate` in the runner. Checks nothing: the sender is the runtime, of the same release and with more
 * rights.
 */
export function decodeEvaluate(body: Buffer): Decoded<{ id: number; body: Evaluate }> {
  const end = textAt + body.readUInt32BE(textAt - 4);
  const text = body.toString('utf8', textAt, end);
  const set = body.readUInt8(16);
  let place = textsAt;
  let from = 0;
  const next = (): string => {
    const part = text.slice(from, (from += body.readUInt32BE(place)));
    place += 4;
    return part;
  };
  const optional = (flag: number): string | null => {
    const part = next();
    return (set & flag) === 0 ? null : part;
  };
  const event = {
    id: next(),
    time: body.readDoubleBE(8),
    kind: next(),
    name: next(),
    event: next(),
    qualifier: next(),
    extra: optional(flags.extra),
    driver: next(),
    uuid: optional(flags.uuid),
  };
  const handler = body.readUInt32BE(4);
  const document = (set & flags.document) !== 0;
  return {
    head: { id: body.readUInt32BE(0), body: { kind: 'evaluate', handler, event, document } },
    tail: body.subarray(end),
  };
}

/** Encodes a verdict without log lines. */
export function encodeEvaluated(id: number, { outcome, reason, fuel }: Evaluated, tail: Uint8Array | null): Buffer {
  const head = Buffer.allocUnsafe(reasonAt + 3 * reason.length);
  head.writeUInt32BE(id, 0);
  head[4] = outcomes.indexOf(outcome);
  head.writeDoubleBE(fuel ?? Number.NaN, 5);
  const size = reason === '' ? 0 : head.write(reason, reasonAt);
  head.writeUInt32BE(size, reasonAt - 4);
  const used = head.subarray(0, reasonAt + size);
  return tail === null
    ? encodeFrame(evaluationTypes.evaluated, used)
    : encodeFrame(evaluationTypes.evaluated, used, tail);
}

/** Maximum size of a reason, bytes. */
const longestReason = 3 * bounds.reasonChars;

/** Decodes `evaluated` in the runtime, from a process that a plug-in may control. Throws HookvisorError `protocol`. */
export function decodeEvaluated(body: Buffer): Decoded<MessageHead<'reply'>> {
  const end = body.length < reasonAt ? Infinity : reasonAt + body.readUInt32BE(reasonAt - 4);
  const outcome = outcomes[body[4] ?? outcomes.length];
  const fuel = end <= body.length ? body.readDoubleBE(5) : -1;
  if (outcome === undefined || fuel < 0 || fuel === Infinity || end - reasonAt > longestReason) {
    throw new HookvisorError('protocol', `Cannot read an 'evaluated' message: its fields are invalid`);
  }
  const reason = end === reasonAt ? '' : body.toString('utf8', reasonAt, end);
  return {
    head: {
      id: body.readUInt32BE(0),
      body: { kind: 'evaluated', outcome, reason, fuel: Number.isNaN(fuel) ? null : fuel, logs: [] },
    },
    tail: body.subarray(end),
  };
}
