import fc from 'fast-check';
import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { decodeHeadAndTail, encodeFrame, encodeHeadAndTail, FrameReader } from '../../src/contract/framing.js';
import { serve } from '../support/runtime.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';
import { mutate, mutations } from './mutate.js';

const answerTypes = [0x02, 0x11, 0x1f];

const call = (words: string, document = ''): Buffer => encodeFrame(0x01, ...encodeWords(words), Buffer.from(document));

function encodeWords(words: string): Buffer[] {
  const bytes = Buffer.from(words);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

const command = (head: unknown, tail = ''): Buffer => encodeFrame(0x10, ...encodeHeadAndTail(head, Buffer.from(tail)));

const emit = { command: 'emit', kind: 'domain', name: 'tiny', event: 'prepare', qualifier: 'begin' };
const goodFrames = [
  call('qemu\0tiny\0prepare\0begin\0-', '<domain><name>tiny</name></domain>'),
  call('network\0nat\0start\0begin\0-'),
  command({ command: 'status' }),
  command(emit, '<domain/>'),
];

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
  fc.tuple(fc.constantFrom(...goodFrames), mutations).map(([frame, changes]) => mutate(frame, changes)),
  // A header of a length that does not come, or that is not allowed.
  fc
    .tuple(fc.nat(0xffffffff), fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 64 }))
    .map(([length, version, type, rest]) => {
      const header = Buffer.alloc(6);
      header.writeUInt32BE(length);
      header.writeUInt8(version % 2 === 0 ? 1 : version, 4);
      header.writeUInt8(type, 5);
      return Buffer.concat([header, rest]);
    }),
  fc
    .tuple(fc.constantFrom(0x01, 0x10, 0x02), fc.jsonValue(), fc.uint8Array({ maxLength: 64 }))
    .map(([type, head, tail]) => encodeFrame(type, ...encodeHeadAndTail(head, tail))),
);

const inputs = fc.record({ bytes, cuts: fc.array(fc.nat(400), { maxLength: 4 }) });

/** Sends bytes in pieces and hangs up half; gives what came until the runtime hung up too. */
async function exchange(socket: string, pieces: readonly Buffer[]): Promise<Buffer> {
  const connection = connect(socket);
  // The runtime may hang up before everything is written.
  connection.on('error', () => undefined);
  await once(connection, 'connect');
  const answer = buffer(connection).catch(() => Buffer.alloc(0));
  for (const piece of pieces) {
    connection.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  connection.end();
  return answer;
}

function pieces(all: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
  return places.slice(1).map((to, at) => all.subarray(places[at], to));
}

describe('the socket', () => {
  it(
    'answers or hangs up whatever arrives, and answers a good call afterwards',
    async () => {
      const { socket, said } = await serve('handlers: {}\n');
      const [good] = goodFrames;
      if (good === undefined) throw new Error('there is no good call');
      const expected = await exchange(socket, [good]);
      expect(new FrameReader(1_000_000).push(expected)[0]?.type).toBe(0x02);
      await fuzz({
        name: 'socket',
        inputs,
        save: (input) => input.bytes,
        async holds(input) {
          const answer = await exchange(socket, pieces(input.bytes, input.cuts));
          if (answer.length > 0) {
            const reader = new FrameReader(64 * 1024 * 1024);
            const [frame, ...more] = reader.push(answer);
            expect([more.length, reader.pending]).toEqual([0, false]);
            expect(answerTypes).toContain(frame?.type);
            if (frame?.type === 0x1f) {
              const { head } = decodeHeadAndTail(frame.body);
              expect(head).toMatchObject({ code: expect.stringMatching(/^(?:protocol|usage)$/u) as unknown });
            }
          }
          expect((await exchange(socket, [good])).equals(expected)).toBe(true);
        },
      });
      expect(said.filter((line) => line.startsWith('error'))).toEqual([]);
    },
    fuzzTimeoutMs,
  );
});
