import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeFrame } from '../../../src/contract/framing.js';
import { bounds } from '../../../src/contract/limits.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { encodeReply } from '../../../src/contract/messages.js';
import { driveRunner } from '../../../src/runtime/supervision/runner.js';
import type { Answer, Lost } from '../../../src/runtime/supervision/runner.js';

const done = { kind: 'done' } as const;
const oversized = Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2]);

it.each([
  ['is not a frame', Buffer.from('GET / HTTP/1.1\r\n'), /protocol version is 47/u],
  [
    'announces too many bytes',
    oversized,
    new RegExp(`length is 4294967295 bytes; the allowed range is 2 to ${bounds.frameBytes}`, 'u'),
  ],
  ['is a frame of another type', encodeFrame(9, Buffer.from('{}')), /frame type 9 is not 'reply'/u],
  [
    'has other fields',
    encodeFrame(2, Buffer.from('\0\0\0\x02{}', 'latin1')),
    /'reply' message: its fields are invalid/u,
  ],
  ['has fields that are not JSON', encodeFrame(2, Buffer.from('\0\0\0\x01{', 'latin1')), /they are not JSON/u],
  ['answers another request', encodeReply(7, done), /not in flight/u],
])('a runner whose answer %s is killed', async (_, bytes, why) => {
  const { lost, how } = await requestOf(bytes);
  expect(lost).toMatchObject({ failure: 'protocol', sent: true });
  expect('message' in lost ? lost.message : '').toMatch(why);
  expect(how).toBe('SIGKILL');
});

it('a runner that answers twice is killed after the first answer', async () => {
  const reply = encodeReply(0, done);
  const { lost, how } = await requestOf(Buffer.concat([reply, reply]));
  expect(lost).toMatchObject({ reply: done });
  expect(how).toBe('SIGKILL');
});

it('a runner that goes on with its work when its stdin closes is killed after a second', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close').then(([, signal]) => String(signal));
  const kill = (): void => void child.kill('SIGKILL');
  const runner = driveRunner(
    { pid: child.pid ?? null, stdin: child.stdin, stdout: child.stdout, ended: closed, kill },
    () => undefined,
  );
  await Promise.all([runner.end(), runner.end()]);
  expect(await closed).toBe('SIGKILL');
});

/** Sends one request to a real process that answers with the bytes. */
async function requestOf(bytes: Buffer): Promise<{ lost: Answer | Lost; how: string }> {
  const rogue = join(packageRoot, 'test', 'fixtures', 'sandbox', 'rogue.mjs');
  const child = spawn(process.execPath, [rogue, bytes.toString('base64')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close').then(([, signal]) => String(signal));
  const kill = (): void => void child.kill('SIGKILL');
  const started = { pid: child.pid ?? null, stdin: child.stdin, stdout: child.stdout, ended, kill };
  return new Promise((resolve) => {
    let lost: Answer | Lost | null = null;
    const runner = driveRunner(started, (how) => {
      if (lost !== null) resolve({ lost, how });
    });
    const options = { tail: null, deadlineMs: 10_000 };
    runner.request({ kind: 'unload', handler: 0 }, options, (answer) => (lost = answer));
  });
}
