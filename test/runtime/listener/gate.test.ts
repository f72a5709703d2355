import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gateProgram, listenWithGate } from '../../../src/runtime/listener/gate.js';
import { packageRoot } from '../../../src/shared/paths.js';
import {
  alive,
  answerTo,
  ask,
  call,
  dial,
  echo,
  gateOf,
  held,
  type Listen,
  open,
  received,
} from '../../support/listeners.js';
import { temporaryFolder, writeScript } from '../../support/temp.js';

/** Notes how each gate ended that was not closed. */
const gone: string[] = [];
const through =
  (program: string): Listen =>
  (options) =>
    listenWithGate({ ...options, program, onGone: (how) => gone.push(how) });
const listen = through(gateProgram);

const read = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');

/** Memory that it uses, and that it has asked for. */
function memoryKiB(pid: number): { resident: number; asked: number } {
  const status = read(pid, 'status');
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'mu').exec(status)?.[1]);
  return { resident: value('VmRSS'), asked: value('VmData') };
}

/** Clock ticks (1/100 s) of processor time so far. */
function ticks(pid: number): number {
  const [utime, stime] = read(pid, 'stat').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return Number(utime) + Number(stime);
}

describe('the gate', () => {
  it('has no environment, leads a session of its own, and is in /', async () => {
    await open(listen);
    const pid = gateOf();
    expect(read(pid, 'environ')).toBe('');
    const [, , group, session] = read(pid, 'stat').split(') ')[1]?.split(' ') ?? [];
    expect([group, session]).toEqual([String(pid), String(pid)]);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
  });

  it('has no open file but what it needs, whatever it inherited', async () => {
    const leaky = await writeScript(temporaryFolder(), 'leaky', `exec 6</dev/zero 9>&2; exec '${gateProgram}' "$@"`);
    await open(through(leaky));
    const pid = gateOf();
    const files = readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`);
    const kinds = files.filter((file) => !file.startsWith('2 ')).map((file) => file.replace(/\[\d+\]$/u, ''));
    expect(kinds).toEqual(['0 /dev/null', '1 /dev/null', '3 socket:', '4 socket:', '5 anon_inode:[eventpoll]']);
  });

  it('spends no memory on what is announced and not sent', async () => {
    const { socket, requests } = await open(listen, { patienceMs: 1_500 });
    const pid = gateOf();
    const before = memoryKiB(pid);
    const clients = await Promise.all(Array.from({ length: 100 }, () => dial(socket)));
    const header = Buffer.from('040000000101', 'hex');
    const more = Buffer.alloc(20_000);
    for (const [at, client] of clients.entries()) client.write(at % 2 === 0 ? header : Buffer.concat([header, more]));
    // A request that is answered: so much later, all of that has been read.
    await ask(socket, call('later'));
    const after = memoryKiB(pid);
    expect(after.resident - before.resident).toBeLessThan(4_096);
    expect(after.asked - before.asked).toBeLessThan(4_096);
    const answers = await Promise.all(clients.map(received));
    expect(answers.every((answer) => answer.equals(answerTo('nothing')))).toBe(true);
    expect(requests).toEqual([call('later'), ...clients.map(() => null)]);
  });

  it('keeps no memory and no descriptor of what is over', async () => {
    const large = Buffer.alloc(4 * 1024 * 1024, 'x');
    const { socket } = await open(listen, { answer: () => Promise.resolve(large) });
    const pid = gateOf();
    const round = async (): Promise<void> => {
      await Promise.all(Array.from({ length: 10 }, () => ask(socket, call('x'.repeat(1_000_000)))));
      (await dial(socket)).destroy();
      await ask(socket, call('last'));
    };
    await round();
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    for (let rounds = 0; rounds < 3; rounds++) await round();
    expect(readdirSync(`/proc/${pid}/fd`)).toHaveLength(descriptors);
    // The last client has its answer a moment before the gate has given its memory back.
    await expect.poll(() => memoryKiB(pid).resident).toBeLessThan(8 * 1024);
  });

  it('lets connections wait that it has no descriptors for, without burning time, and serves them then', async () => {
    const poor = await writeScript(temporaryFolder(), 'poor-gate', `ulimit -n 16; exec '${gateProgram}' "$@"`);
    const { socket, requests } = await open(through(poor));
    const pid = gateOf();
    const idle = await Promise.all(Array.from({ length: 30 }, () => dial(socket)));
    const waiting = Array.from({ length: 30 }, (_, at) => ask(socket, call(`call ${at}`)));
    await expect.poll(() => readdirSync(`/proc/${pid}/fd`)).toHaveLength(16);
    const before = ticks(pid);
    await sleep(1_000);
    expect(ticks(pid) - before).toBeLessThan(10);
    expect(requests).toEqual([]);
    for (const client of idle) client.destroy();
    expect(String(await Promise.all(waiting))).toBe(String(waiting.map((_, at) => answerTo(`call ${at}`))));
  });

  it('outlasts TERM, INT and HUP, which a service manager or a terminal sends to all of a service', async () => {
    const { answer, give } = held();
    const { socket } = await open(listen, { answer });
    const answered = ask(socket, call('under way'));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(gateOf(), signal);
    await give('under way');
    expect(await answered).toEqual(answerTo('under way'));
    const another = ask(socket, call('another'));
    await give('another');
    expect(await another).toEqual(answerTo('another'));
  });

  it('ends when it is closed, at once when nobody takes an answer', async () => {
    const { listener } = await open(listen);
    const pid = gateOf();
    const start = performance.now();
    await listener.stop();
    await listener.close();
    expect(alive(pid)).toBe(false);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(gone).toEqual([]);
  });

  it('that is killed is told of, its clients are hung up on, and what it had handed over is answered in vain', async () => {
    const { answer, give } = held();
    const { socket, requests, listener } = await open(listen, { answer });
    const lost = ask(socket, call('lost'));
    await expect.poll(() => requests).toHaveLength(1);
    process.kill(gateOf(), 'SIGKILL');
    expect(await lost).toHaveLength(0);
    await expect.poll(() => gone.splice(0)).toEqual(['it was terminated by SIGKILL']);
    await give('lost');
    await listener.stop();
    await listener.close();
  });
});

describe('the gate of a runtime', () => {
  /** Another runtime, as far as its gate is concerned: the built code in a Node of its own, which answers when told so. */
  async function another(): Promise<{ runtime: ChildProcess; socket: string; gate: number; said: () => string }> {
    const socket = join(temporaryFolder(), 'socket');
    const module = (name: string): string => JSON.stringify(join(packageRoot, 'dist/runtime/listener', name));
    const source = `import { gateProgram, listenWithGate } from ${module('gate.js')};
      const answer = (request) => new Promise((resolve) => {
        process.stdout.write(request.subarray(6));
        if (request.subarray(6).toString() === 'large') resolve(Buffer.alloc(8 * 1024 * 1024, 'x'));
      });
      const place = { path: ${JSON.stringify(socket)} };
      await listenWithGate({ program: gateProgram, place, answer, patienceMs: 10_000, onGone() {} });
      process.stdout.write('listening');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const said: string[] = [];
    child.stdout.on('data', (text: Buffer) => said.push(text.toString()));
    await expect.poll(() => said.join(''), { timeout: 10_000 }).toBe('listening');
    return { runtime: child, socket, gate: gateOf(child.pid), said: () => said.join('') };
  }

  it('that is killed ends, and its clients see that at once', async () => {
    const { runtime, socket, gate, said } = await another();
    const underWay = ask(socket, call('under way'));
    const half = await dial(socket);
    half.write(call('half').subarray(0, 8));
    await expect.poll(said).toContain('under way');
    runtime.kill('SIGKILL');
    expect([await underWay, await received(half)]).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
    await expect.poll(() => alive(gate)).toBe(false);
    await expect(dial(socket)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('that is killed hands over the rest of an answer first', async () => {
    const { runtime, socket, gate } = await another();
    const client = await dial(socket);
    client.write(call('large'));
    // It begins to write when it has all of it.
    await once(client, 'readable');
    runtime.kill('SIGKILL');
    await once(runtime, 'exit');
    expect(await received(client)).toHaveLength(8 * 1024 * 1024);
    await expect.poll(() => alive(gate)).toBe(false);
  });
});

describe('a gate that cannot listen', () => {
  it('says so with the code of the system for a path that is too long', async () => {
    const socket = join('/tmp', 'x'.repeat(120));
    const refused = listen({ place: { path: socket }, answer: echo, patienceMs: 1_000 });
    await expect(refused).rejects.toMatchObject({ code: 'ENAMETOOLONG', message: 'ENAMETOOLONG: name too long' });
    expect(existsSync(socket)).toBe(false);
  });

  it('says so in the words of the system for an address in use, every time', async () => {
    const { socket } = await open(listen);
    // Whether its end or its word comes first is chance.
    for (let attempt = 0; attempt < 50; attempt++) {
      const refused = listen({ place: { path: socket }, answer: echo, patienceMs: 1_000 });
      await expect(refused).rejects.toMatchObject({
        code: 'EADDRINUSE',
        message: 'EADDRINUSE: address already in use',
      });
    }
  });
});

describe('a program that is no gate', () => {
  const place = { path: '/nowhere/socket' };

  it.each([
    ['that is not there', '/nowhere/gate', 'spawn /nowhere/gate ENOENT'],
    ['that is a folder', '/', 'spawn / EACCES'],
    ['that ends at once', '/bin/true', 'it exited with status 0'],
    ['that fails at once', '/bin/false', 'it exited with status 1'],
  ])('%s is refused, with what to do', async (_, program, how) => {
    await expect(through(program)({ place, answer: echo, patienceMs: 1_000 })).rejects.toMatchObject({
      code: 'internal',
      message: `Cannot start '${program}': ${how}; run 'npm run build' again`,
    });
  });

  it('that is not executable, or is killed, is refused, with what to do', async () => {
    const dir = temporaryFolder();
    const dies = await writeScript(dir, 'dies', 'kill -KILL $$');
    await expect(through(dies)({ place, answer: echo, patienceMs: 1_000 })).rejects.toMatchObject({
      message: `Cannot start '${dies}': it was terminated by SIGKILL; run 'npm run build' again`,
    });
    chmodSync(dies, 0o644);
    await expect(through(dies)({ place, answer: echo, patienceMs: 1_000 })).rejects.toMatchObject({
      message: `Cannot start '${dies}': spawn ${dies} EACCES; run 'npm run build' again`,
    });
  });
});
