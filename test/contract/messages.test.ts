import { describe, expect, it } from 'vitest';
import { FrameReader, encodeFrame, encodeHeadAndTail, type Frame } from '../../src/contract/framing.js';
import { decodeReply, encodeReply, frameTypes, type RunnerReply } from '../../src/contract/messages.js';

const evaluated = {
  kind: 'evaluated',
  outcome: 'deny',
  reason: 'no',
  fuel: 7,
  logs: [],
} satisfies RunnerReply;

const line = { level: 'warn', message: 'hm' };

function frameOf(head: unknown): Frame {
  const [frame] = new FrameReader(1_000_000).push(encodeFrame(frameTypes.reply, ...encodeHeadAndTail(head, null)));
  if (frame === undefined) throw new Error('there is no frame');
  return frame;
}

describe("a runner's reply", () => {
  it('is read back as it was sent, with log lines and without', () => {
    const withLogs = { ...evaluated, fuel: null, logs: [{ level: 'warn', message: 'hm' }] } satisfies RunnerReply;
    for (const body of [evaluated, withLogs]) {
      const [frame] = new FrameReader(1_000_000).push(encodeReply(3, body, Buffer.from('<a/>')));
      const { head, tail } = decodeReply(frame ?? frameOf(null));
      expect(head).toEqual({ id: 3, body });
      expect(tail.toString()).toBe('<a/>');
    }
  });

  it.each([
    ['no number', { id: '3', body: evaluated }],
    ['a negative number', { id: -1, body: evaluated }],
    ['a broken number', { id: 1.5, body: evaluated }],
    ['no body', { id: 3, body: null }],
    ['no head', null],
    ['an unknown reply', { id: 3, body: { ...evaluated, kind: 'decided' } }],
    ['an unknown outcome', { id: 3, body: { ...evaluated, outcome: 'maybe' } }],
    ['a reason that is no text', { id: 3, body: { ...evaluated, reason: { length: 2 } } }],
    ['a reason of 20,000 characters', { id: 3, body: { ...evaluated, reason: 'x'.repeat(20_000) } }],
    ['102 log lines', { id: 3, body: { ...evaluated, logs: Array.from({ length: 102 }, () => line) } }],
    [
      'a log line of 1,025 characters',
      { id: 3, body: { ...evaluated, logs: [{ ...line, message: 'x'.repeat(1_025) }] } },
    ],
    ['negative fuel', { id: 3, body: { ...evaluated, fuel: -1 } }],
    ['fuel that is no number', { id: 3, body: { ...evaluated, fuel: '7' } }],
    ['logs that are no list', { id: 3, body: { ...evaluated, logs: { length: 0 } } }],
    ['a log line of no level', { id: 3, body: { ...evaluated, logs: [{ level: 'loud', message: '' }] } }],
  ])('with %s is refused', (_what, head) => {
    expect(() => decodeReply(frameOf(head))).toThrow(
      expect.objectContaining({
        code: 'protocol',
        message: expect.stringContaining("a 'reply' message: its fields are invalid") as string,
      }),
    );
  });

  it('with endless fuel is refused', () => {
    const json = Buffer.from(JSON.stringify({ id: 3, body: evaluated }).replace('"fuel":7', '"fuel":1e999'));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(json.length);
    const [frame] = new FrameReader(1_000_000).push(encodeFrame(frameTypes.reply, length, json));
    expect(() => decodeReply(frame ?? frameOf(null))).toThrow("a 'reply' message: its fields are invalid");
  });
});
