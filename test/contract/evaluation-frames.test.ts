import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader, type Frame } from '../../src/contract/framing.js';
import { evaluationTypes } from '../../src/contract/evaluation-frames.js';
import {
  decodeMessage,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type RunnerReply,
} from '../../src/contract/messages.js';

function frameIn(bytes: Buffer): Frame {
  const [frame] = new FrameReader(1_000_000).push(bytes);
  if (frame === undefined) throw new Error('there is no frame');
  return frame;
}

/** Whole characters of any length, none at all, NUL and what JSON would escape. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\0', '"\\\n', '\u{10ffff}', 'é'.repeat(300)),
);
const tail = fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes)));

describe('a request to evaluate', () => {
  it('is read as it was written, whatever is in it', () => {
    const request = fc.record({
      kind: fc.constant('evaluate' as const),
      handler: fc.nat(),
      document: fc.boolean(),
      event: fc.record({
        id: text,
        time: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        kind: text,
        name: text,
        event: text,
        qualifier: text,
        extra: fc.option(text),
        driver: text,
        uuid: fc.option(text),
      }),
    });
    fc.assert(
      fc.property(fc.nat(), request, tail, (id, body, document) => {
        const read = decodeRequest(frameIn(encodeRequest(id, body, document)));
        expect(read.head).toEqual({ id, body });
        expect(read.tail).toEqual(document ?? Buffer.alloc(0));
      }),
    );
  });

  it('with half a character has another one in its place, and the rest as it was', () => {
    const event = {
      id: 'i',
      time: 1,
      kind: 'k\ud800',
      name: 'n',
      event: 'e',
      qualifier: 'q',
      extra: null,
      driver: 'd',
    };
    const body = { kind: 'evaluate', handler: 0, document: false, event: { ...event, uuid: null } } as const;
    const { head } = decodeRequest(frameIn(encodeRequest(0, body)));
    expect(head.body).toEqual({ ...body, event: { ...event, kind: 'k\ufffd', uuid: null } });
  });
});

describe('a verdict without log lines', () => {
  it('is read as it was written, whatever is in it', () => {
    const reply = fc.record({
      kind: fc.constant('evaluated' as const),
      outcome: fc.constantFrom('allow' as const, 'deny' as const, 'replace' as const),
      reason: text,
      fuel: fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER })),
      logs: fc.constant<[]>([]),
    });
    fc.assert(
      fc.property(fc.nat(), reply, tail, (id, body, document) => {
        const frame = frameIn(encodeReply(id, body, document));
        expect(frame.type).toBe(evaluationTypes.evaluated);
        const read = decodeReply(frame);
        expect(read.head).toEqual({ id, body });
        expect(read.tail).toEqual(document ?? Buffer.alloc(0));
      }),
    );
  });

  const longer = (body: Buffer, size: number): Buffer => {
    body.writeUInt32BE(size, 13);
    return Buffer.concat([body, Buffer.alloc(size, 'x')]);
  };
  const usual: RunnerReply = { kind: 'evaluated', outcome: 'deny', reason: 'no', fuel: 7, logs: [] };
  const bodyOf = (change: (body: Buffer) => Buffer | undefined): Frame => {
    const { body } = frameIn(encodeReply(3, usual));
    return frameIn(encodeFrame(evaluationTypes.evaluated, change(body) ?? body));
  };

  it.each<[string, (body: Buffer) => Buffer | undefined]>([
    ['nothing in it', () => Buffer.alloc(0)],
    ['half of its fields', (body) => body.subarray(0, 9)],
    ['an unknown outcome', (body) => void body.writeUInt8(3, 4)],
    ['negative fuel', (body) => void body.writeDoubleBE(-1, 5)],
    ['endless fuel', (body) => void body.writeDoubleBE(Infinity, 5)],
    ['a reason that ends beyond it', (body) => void body.writeUInt32BE(3, 13)],
    ['a reason of more than 1,024 characters of three bytes', (body) => longer(body, 3_073)],
    ['a reason of 4 GiB', (body) => void body.writeUInt32BE(0xffff_ffff, 13)],
  ])('with %s is refused', (_what, change) => {
    expect(() => decodeReply(bodyOf(change))).toThrow("Cannot read an 'evaluated' message: its fields are invalid");
  });

  it('is none to an admission', () => {
    expect(() =>
      decodeMessage(
        'admitted',
        bodyOf(() => undefined),
      ),
    ).toThrow("frame type 6 is not 'admitted'");
  });
});
