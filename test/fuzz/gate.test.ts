import fc from 'fast-check';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { encodeFrame } from '../../src/contract/framing.js';
import { listenWithGate } from '../../src/runtime/listener/gate.js';
import { buildWithFaults, sanitizers, whyNoSanitizers } from '../support/native-variant.js';
import { temporaryFolder, writeScript } from '../support/temp.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';

const header = fc
  .tuple(fc.oneof(fc.nat(70), fc.nat(0xffffffff)), fc.constantFrom(1, 1, 1, 2), fc.nat(255))
  .map(([length, version, type]) => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt32BE(length);
    bytes.writeUInt8(version, 4);
    bytes.writeUInt8(type, 5);
    return bytes;
  });
const request = fc.oneof(fc.nat(100), fc.nat(200_000)).map((size) => encodeFrame(0x01, Buffer.alloc(size, 'r')));
const junk = fc.oneof(fc.nat(100), fc.nat(200_000)).map((size) => Buffer.alloc(size, 0xff));
const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));

const clients = fc.record({
  bytes: fc
    .oneof(fc.tuple(request), fc.tuple(request, junk), fc.tuple(header, noise), fc.tuple(noise))
    .map((parts) => Buffer.concat(parts)),
  cut: fc.nat(20),
  then: fc.constantFrom('reads', 'reads', 'ends its side', 'hangs up', 'never reads'),
});

const inputs = fc.record({
  clients: fc.array(clients, { minLength: 1, maxLength: 40 }),
  answers: fc.array(fc.record({ size: fc.constantFrom(0, 1, 1_000, 300_000, 2_000_000), afterMs: fc.nat(30) }), {
    minLength: 1,
  }),
  patienceMs: fc.constantFrom(10, 50, 2_000),
  stopsAfterMs: fc.nat(40),
  waitsForAnswers: fc.boolean(),
});

type Client = typeof clients extends fc.Arbitrary<infer Value> ? Value : never;

/** One client, until it is hung up on or does so; what it got. */
async function visit(socket: string, { bytes, cut, then }: Client): Promise<Buffer> {
  const client = connect(socket);
  const got: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    client
      .on('error', () => undefined)
      .once('close', () => {
        resolve();
      });
  });
  if (then !== 'never reads') client.on('data', (chunk) => got.push(chunk));
  client.write(bytes.subarray(0, cut));
  await sleep(1);
  client.write(bytes.subarray(cut));
  if (then === 'ends its side') client.end();
  if (then === 'hangs up') client.destroySoon();
  if (then === 'never reads') await sleep(30).then(() => client.destroy());
  await closed;
  return Buffer.concat(got);
}

it(
  'the gate, with sanitizers, survives whatever comes, and leaves nothing allocated',
  async (ctx) => {
    const dir = temporaryFolder();
    const why = whyNoSanitizers(dir);
    if (why !== null) ctx.skip(why);
    const gate = buildWithFaults(dir, 'gate', sanitizers);
    const [report, status] = [join(dir, 'report'), join(dir, 'status')];
    const program = await writeScript(dir, 'gate.sh', `'${gate}' "$@" 2>'${report}'; echo $? >'${status}'`);

    await fuzz({
      name: 'gate',
      inputs,
      async holds({ clients: all, answers, patienceMs, stopsAfterMs, waitsForAnswers }) {
        const path = join(dir, 'socket');
        rmSync(path, { force: true });
        const underWay: Promise<Buffer>[] = [];
        const answer = (): Promise<Buffer> => {
          const { size = 0, afterMs = 0 } = answers[underWay.length % answers.length] ?? {};
          const answering = sleep(afterMs, Buffer.alloc(size, 'a'));
          underWay.push(answering);
          return answering;
        };
        const gone: string[] = [];
        const place = { path };
        const listener = await listenWithGate({ program, place, answer, patienceMs, onGone: (how) => gone.push(how) });
        const visits = all.map((client) => visit(path, client));
        await sleep(stopsAfterMs);
        await listener.stop();
        if (waitsForAnswers) await Promise.all(underWay);
        await listener.close();
        const got = await Promise.all(visits);
        expect([readFileSync(report, 'utf8'), readFileSync(status, 'utf8'), gone]).toEqual(['', '0\n', []]);
        for (const bytes of got) expect(bytes.every((byte) => byte === 97)).toBe(true);
        await Promise.all(underWay);
      },
    });
  },
  fuzzTimeoutMs,
);
