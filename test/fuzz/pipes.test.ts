import fc from 'fast-check';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { HookvisorError } from '../../src/contract/errors.js';
import { type Frame, FrameReader } from '../../src/contract/framing.js';
import { decodeArtefact, encodeArtefact } from '../../src/contract/artefact-codec.js';
import { decodeMessage, decodeReply, encodeReply } from '../../src/contract/messages.js';
import { driveRunner } from '../../src/runtime/supervision/runner.js';
import type { Answer, Lost } from '../../src/runtime/supervision/runner.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';
import { mutate, mutations } from './mutate.js';

const goodReplies = [
  encodeReply(0, { kind: 'evaluated', outcome: 'deny', reason: 'no', fuel: 7, logs: [] }),
  encodeReply(0, {
    kind: 'evaluated',
    outcome: 'deny',
    reason: 'no',
    fuel: 7,
    logs: [{ level: 'info', message: 'x' }],
  }),
  encodeReply(0, { kind: 'done' }),
  encodeReply(0, { kind: 'failed', code: 'handler-failed', failure: 'trap', message: 'm', fuel: null, logs: [] }),
];

const artefact = encodeArtefact({
  backend: 'component',
  digest: 'a'.repeat(64),
  assembly: {
    kind: 'plan',
    plan: {
      steps: [{ module: 'one', imports: [['\u00fc', [['f', { is: 'export', ref: [0, 'f'] }]]]] }],
      handle: {
        ...{
          instance: 0,
          encoding: 'utf8',
          core: [0, 'handle'],
          memory: [0, 'memory'],
          realloc: null,
          postReturn: null,
        },
      },
      validate: null,
    },
    needsXml: true,
  },
  validates: true,
  modules: [
    { name: 'one', bytes: Buffer.from([1, 2, 3]), memory: { initial: 1, maximum: 2 } },
    { name: 'two', bytes: Buffer.alloc(0), memory: null },
  ],
});

const changed = (bases: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.tuple(fc.constantFrom(...bases), mutations).map(([base, changes]) => mutate(base, changes)),
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  );

/** What reading may throw, and nothing else. */
function isProtocol(error: unknown): boolean {
  return error instanceof HookvisorError && error.code === 'protocol';
}

/** A runner's process that writes `output` to its stdout once it is asked, and then ends. */
async function answerOf(output: Buffer): Promise<Answer | Lost> {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  stdin.resume();
  let ended: (how: string) => void = () => undefined;
  const process = {
    pid: null,
    stdin,
    stdout,
    ended: new Promise<string>((resolve) => {
      ended = resolve;
    }),
    kill: () => {
      ended('killed');
    },
  };
  const runner = driveRunner(process, () => undefined);
  const answer = new Promise<Answer | Lost>((resolve) => {
    runner.request(
      { kind: 'evaluate', handler: 0, event, document: false },
      { tail: null, deadlineMs: 60_000 },
      resolve,
    );
  });
  stdout.once('end', () => {
    ended('it exited with status 0');
  });
  stdout.end(output);
  const result = await answer;
  await runner.end();
  return result;
}

const event = {
  id: 'i',
  time: 0,
  kind: 'domain',
  name: 'n',
  event: 'prepare',
  qualifier: 'begin',
  extra: null,
  driver: 'qemu',
  uuid: null,
};

describe('the pipe of a runner', () => {
  it(
    'gives an answer that is one, or a loss, whatever the process writes',
    async () => {
      await fuzz({
        name: 'runner-pipe',
        inputs: changed(goodReplies),
        save: (bytes) => bytes,
        async holds(bytes) {
          const answer = await answerOf(bytes);
          if ('failure' in answer) expect(['protocol', 'crashed', 'unavailable']).toContain(answer.failure);
          else expect(['done', 'evaluated', 'failed', 'validated', 'prepared', 'shrunk']).toContain(answer.reply.kind);
        },
      });
    },
    fuzzTimeoutMs,
  );

  it(
    'has its frames, messages and artefacts read, or refused as no such thing',
    async () => {
      expect(decodeArtefact(artefact).modules).toHaveLength(2);
      await fuzz({
        name: 'messages',
        inputs: changed([...goodReplies, artefact]),
        save: (bytes) => bytes,
        holds(bytes) {
          for (const read of [
            () => decodeArtefact(bytes),
            () => {
              for (const frame of new FrameReader(1_000).push(bytes)) {
                for (const decode of [
                  decodeReply,
                  (one: Frame) => decodeMessage('request', one),
                  (one: Frame) => decodeMessage('admit', one),
                  (one: Frame) => decodeMessage('admitted', one),
                ]) {
                  try {
                    decode(frame);
                  } catch (error) {
                    if (!isProtocol(error)) throw error;
                  }
                }
              }
            },
          ]) {
            try {
              read();
            } catch (error) {
              if (!isProtocol(error)) throw error;
            }
          }
        },
      });
    },
    fuzzTimeoutMs,
  );
});
