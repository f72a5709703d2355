import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { gateProgram } from '../../../src/runtime/listener/gate.js';
import { hookCaller } from '../../support/client.js';
import { answerTo, ask, call, gateNow, gateOf, openAsRuntime } from '../../support/listeners.js';
import { serve } from '../../support/runtime.js';
import { temporaryFolder, writeScript } from '../../support/temp.js';

const open = (program?: string): ReturnType<typeof openAsRuntime> =>
  openAsRuntime(join(temporaryFolder(), 'socket'), program);

/** A gate that does not start while a file is there. */
async function fragileGate(): Promise<{ program: string; broken: string }> {
  const dir = temporaryFolder();
  const broken = join(dir, 'broken');
  const program = await writeScript(dir, 'fragile', `[ -e '${broken}' ] && exit 7\nexec '${gateProgram}' "$@"`);
  return { program, broken };
}

const kill = (): boolean => process.kill(gateOf(), 'SIGKILL');

/** A call that is made again until somebody listens. */
async function answered(socket: string, text: string): Promise<void> {
  const attempt = (): Promise<Buffer | null> => ask(socket, call(text)).catch(() => null);
  await expect.poll(attempt, { timeout: 10_000, interval: 10 }).toEqual(answerTo(text));
}

const words = (line: string): string => line.replace(/\d+ ms$/u, 'N ms');
const delay = (line: string): number => Number(/(\d+) ms$/u.exec(line)?.[1]);
const killed =
  'error: The process that accepts hook calls exited (it was terminated by SIGKILL); restarting it in N ms';

describe('a gate that is killed', () => {
  it('is started again, and the log says so', async () => {
    const { socket, said } = await open();
    await answered(socket, 'before');
    const first = gateOf();
    kill();
    await answered(socket, 'after');
    expect(gateOf()).not.toBe(first);
    expect(said.map(words)).toEqual([killed]);
  });

  it('is started again at once when it has run for a second', async () => {
    const { socket, said } = await open();
    await sleep(1_000);
    kill();
    await answered(socket, 'after');
    expect(said).toEqual([killed.replace('N ms', '0 ms')]);
  });

  it('under a runtime leaves the event in the journal, and the next hook is answered', async () => {
    const dir = temporaryFolder();
    const [began, go] = [join(dir, 'began'), join(dir, 'go')];
    const waits = `: >'${began}'; while [ ! -e '${go}' ]; do sleep 0.02; done; echo no >&2; exit 1`;
    const script = await writeScript(dir, 'waits', waits);
    const { socket, journaled, said } = await serve(`events_script: ${script}`, dir);
    const hook = hookCaller(dir, socket);
    const lost = hook('qemu', ['lost', 'prepare', 'begin', '-']);
    await expect.poll(() => existsSync(began), { timeout: 10_000 }).toBe(true);
    kill();
    const { status, stderr } = await lost;
    expect(status).toBe(1);
    expect(stderr).toContain(`hookvisor: the runtime at ${socket} cannot be reached`);
    writeFileSync(go, '');
    await expect
      .poll(() => journaled().map(({ event, answered }) => [event.name, answered]))
      .toEqual([['lost', 'deny']]);
    const next = async (): Promise<string> => (await hook('qemu', ['next', 'prepare', 'begin', '-'])).stderr;
    await expect.poll(next, { timeout: 10_000 }).toBe('events_script: no\n');
    expect(said.map(words)).toContain(killed);
  });

  it('and cannot be started is tried again and again, each time later, until it works', async () => {
    const { program, broken } = await fragileGate();
    const { socket, said } = await open(program);
    await answered(socket, 'before');
    writeFileSync(broken, '');
    kill();
    await expect.poll(() => said.length, { timeout: 10_000 }).toBe(4);
    const unstarted =
      `error: The process that accepts hook calls exited (Cannot start '${program}': it exited with status 7; ` +
      `run 'npm run build' again); restarting it in N ms`;
    expect(said.map(words)).toEqual([killed, unstarted, unstarted, unstarted]);
    const delays = said.map(delay);
    expect(delays.slice(1)).toEqual(delays.slice(0, -1).map((ms) => 2 * ms + 100));
    await expect(ask(socket, call('meanwhile'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    rmSync(broken);
    await answered(socket, 'after');
  });

  it('leaves the socket to whoever has taken it meanwhile, and gets it back after that', async () => {
    const { program, broken } = await fragileGate();
    const { socket, said } = await open(program);
    writeFileSync(broken, '');
    kill();
    await expect.poll(() => said.length, { timeout: 10_000 }).toBeGreaterThan(1);
    rmSync(socket);
    const other = createServer((client) => client.on('error', () => undefined).end('other')).listen(socket);
    await once(other, 'listening');
    rmSync(broken);
    await expect.poll(() => said.at(-1), { timeout: 10_000 }).toContain('another runtime answers there');
    expect(String(await ask(socket, call('whose')))).toBe('other');
    other.close();
    await answered(socket, 'after');
  });
});

describe('stopping', () => {
  it('while a lost gate is waited for ends at once, and leaves no socket', async () => {
    const { program, broken } = await fragileGate();
    const { socket, said, listener } = await open(program);
    writeFileSync(broken, '');
    kill();
    // By then it waits for 0.7 s or more.
    await expect.poll(() => said.length, { timeout: 10_000 }).toBe(3);
    const start = performance.now();
    await listener.stop();
    await listener.close();
    expect(performance.now() - start).toBeLessThan(500);
    expect(existsSync(socket)).toBe(false);
    expect(gateNow()).toBeNull();
  });

  it('while a lost gate is being started leaves no socket and no gate', async () => {
    const dir = temporaryFolder();
    const [slow, starting] = [join(dir, 'slow'), join(dir, 'starting')];
    const wait = `[ -e '${slow}' ] && { : >'${starting}'; while [ -e '${slow}' ]; do sleep 0.02; done; }`;
    const program = await writeScript(dir, 'slow-gate', `PATH=/usr/bin:/bin\n${wait}\nexec '${gateProgram}' "$@"`);
    const { socket, listener, said } = await open(program);
    writeFileSync(slow, '');
    kill();
    await expect.poll(() => existsSync(starting), { timeout: 10_000 }).toBe(true);
    const stopped = listener.stop();
    expect(existsSync(socket)).toBe(false);
    rmSync(slow);
    await stopped;
    await listener.close();
    expect(existsSync(socket)).toBe(false);
    expect(gateNow()).toBeNull();
    expect(said.map(words)).toEqual([killed]);
  });
});
