import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { decodeHeadAndTail, encodeFrame, FrameReader } from '../../../src/contract/framing.js';
import { configFrom, createRuntime } from '../../../src/runtime/runtime.js';
import { startServer } from '../../../src/runtime/listener/server.js';
import { hookCaller } from '../../support/client.js';
import { serve, writeConfig } from '../../support/runtime.js';
import { temporaryFolder, writeScript } from '../../support/temp.js';

const silent = (): void => undefined;

/** Sends bytes and gives what comes back until the runtime hangs up. */
async function exchange(socket: string, bytes: Uint8Array, end = false): Promise<Buffer> {
  const connection = connect(socket);
  await once(connection, 'connect');
  if (end) connection.end(bytes);
  else connection.write(bytes);
  return buffer(connection);
}

function refusal(answer: Buffer): unknown {
  const [frame] = new FrameReader(1_000_000).push(answer);
  expect(frame?.type).toBe(0x1f);
  return frame === undefined ? null : decodeHeadAndTail(frame.body).head;
}

describe('the socket', () => {
  it('has mode 0600 and is gone when the server has ended', async () => {
    const dir = temporaryFolder();
    const runtime = await createRuntime({ log: silent, load: configFrom(await writeConfig(dir, '')) });
    const server = await startServer(runtime, silent);
    expect(statSync(server.socket).mode & 0o777).toBe(0o600);
    await server[Symbol.asyncDispose]();
    await runtime[Symbol.asyncDispose]();
    expect(existsSync(server.socket)).toBe(false);
  });

  it('that a dead runtime left behind is taken over', async () => {
    const dir = temporaryFolder();
    const path = join(dir, 'hv.sock');
    const dead = createServer();
    dead.listen(path);
    await once(dead, 'listening');
    // Keep the file while the listener goes, as after a SIGKILL.
    const { rename } = await import('node:fs/promises');
    await rename(path, `${path}.kept`);
    dead.close();
    await rename(`${path}.kept`, path);
    const { socket } = await serve('', dir);
    const call = hookCaller(dir, socket);
    expect((await call('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(0);
  });

  it('that a living runtime answers on is refused to a second one', async () => {
    const first = await serve('');
    const runtime = await createRuntime({ log: silent, load: configFrom(first.configFile, { journal: null }) });
    await expect(startServer(runtime, silent)).rejects.toMatchObject({
      code: 'already-running',
      message: `Cannot listen on '${first.socket}': another runtime answers there; stop it, or use 'hookvisor reload'`,
    });
    await runtime[Symbol.asyncDispose]();
    expect(existsSync(first.socket)).toBe(true);
  });

  it('is not taken from a file that is no socket', async () => {
    const dir = temporaryFolder();
    await writeFile(join(dir, 'hv.sock'), 'precious');
    await expect(serve('', dir)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('it is not a socket') as string,
    });
    expect(readFileSync(join(dir, 'hv.sock'), 'utf8')).toBe('precious');
  });
});

describe('a connection', () => {
  it('with a frame of 4 GB is refused at once', async () => {
    const { socket } = await serve('');
    const answer = await exchange(socket, Buffer.from('ffffffff0101', 'hex'));
    expect(refusal(answer)).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('its length is 4294967295 bytes') as string,
    });
  });

  it('of another protocol version is refused', async () => {
    const { socket } = await serve('');
    expect(refusal(await exchange(socket, Buffer.from('000000020901', 'hex')))).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('version is 9') as string,
    });
  });

  it('with a frame that is no request is refused', async () => {
    const { socket } = await serve('');
    expect(refusal(await exchange(socket, encodeFrame(0x77)))).toMatchObject({ code: 'protocol' });
  });

  it('with arguments that do not fit is refused', async () => {
    const { socket } = await serve('');
    expect(refusal(await exchange(socket, encodeFrame(0x01, Buffer.from('ffffffff', 'hex'))))).toMatchObject({
      code: 'protocol',
    });
  });

  it('with a command that is none is refused', async () => {
    const { socket } = await serve('');
    const head = Buffer.from(JSON.stringify({ command: 'format-disk' }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length);
    expect(refusal(await exchange(socket, encodeFrame(0x10, length, head)))).toMatchObject({ code: 'protocol' });
  });

  it('that says half a frame and hangs up, or nothing, disturbs nobody', async () => {
    const { socket, dir, runtime } = await serve('');
    expect(await exchange(socket, Buffer.from('000000ff01', 'hex'), true)).toHaveLength(0);
    const mute = connect(socket);
    await once(mute, 'connect');
    const call = hookCaller(dir, socket);
    expect((await call('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(0);
    mute.destroy();
    expect(runtime.status().events.answered).toBe(1);
  });

  it('that hangs up before the answer leaves its event in the journal', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'slow', 'sleep 0.2; echo no >&2; exit 1');
    const { socket, journalFile } = await serve(`events_script: ${script}`, dir);
    const args = Buffer.from(['qemu', 'gone', 'prepare', 'begin', '-'].join('\0'));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(args.length);
    const connection = connect(socket);
    await once(connection, 'connect');
    connection.write(encodeFrame(0x01, length, args));
    await sleep(50);
    connection.destroy();
    await expect.poll(() => readFileSync(journalFile, 'utf8'), { timeout: 5_000 }).toContain('"answered":"deny"');
  });

  it('of which 64 come at the same time are all answered', async () => {
    const { socket, dir, runtime } = await serve('');
    const call = hookCaller(dir, socket);
    const runs = await Promise.all(
      Array.from({ length: 64 }, async (_, at) => call('qemu', [`vm${at}`, 'start', 'begin'])),
    );
    expect(runs.every((run) => run.status === 0)).toBe(true);
    expect(runtime.status().events.answered).toBe(64);
  });
});

describe('ending the server', () => {
  it('answers what is under way first', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'slow', 'sleep 0.3; echo too late >&2; exit 1');
    const runtime = await createRuntime({
      log: silent,
      load: configFrom(await writeConfig(dir, `events_script: ${script}`)),
    });
    const server = await startServer(runtime, silent);
    const call = hookCaller(dir, server.socket);
    const running = call('qemu', ['tiny', 'start', 'begin', '-']);
    await sleep(100);
    await server[Symbol.asyncDispose]();
    await runtime[Symbol.asyncDispose]();
    expect(await running).toMatchObject({ status: 1, stderr: 'events_script: too late\n' });
  });
});
