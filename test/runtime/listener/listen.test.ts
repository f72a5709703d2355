import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gateProgram } from '../../../src/runtime/listener/gate.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { answerTo, ask, call, gateNow, gateOf, openAsRuntime } from '../../support/listeners.js';
import { temporaryFolder, writeScript } from '../../support/temp.js';

const open = (program?: string): ReturnType<typeof openAsRuntime> =>
  openAsRuntime(join(temporaryFolder(), 'run', 'socket'), program);

describe('hook calls', () => {
  it('are taken by the gate where it is built, in a folder that is made', async () => {
    const { socket, said } = await open();
    expect(gateNow()).not.toBeNull();
    expect(await ask(socket, call('one'))).toEqual(answerTo('one'));
    expect(statSync(join(socket, '..')).mode & 0o777).toBe(0o700);
    expect(said).toEqual([]);
  });

  it('are taken by Node where no gate is built, without a word', async () => {
    const { socket, said } = await open('/nowhere/gate');
    expect(gateNow()).toBeNull();
    expect(await ask(socket, call('one'))).toEqual(answerTo('one'));
    expect(said).toEqual([]);
  });

  it.each([
    ['is not executable', 0o644, 'exit 0', (program: string): string => `spawn ${program} EACCES`],
    ['dies at once', 0o755, 'exit 3', (): string => 'it exited with status 3'],
    ['is killed at once', 0o755, 'kill -KILL $$', (): string => 'it was terminated by SIGKILL'],
  ])('are taken by Node where the gate %s, and the log says so', async (_, mode, body, how) => {
    const program = await writeScript(temporaryFolder(), 'gate', body);
    chmodSync(program, mode);
    const { socket, said } = await open(program);
    expect(said).toEqual([
      `warn: Cannot start '${program}': ${how(program)}; run 'npm run build' again; ` +
        `until then Node accepts the hook calls, which takes about 0.3 ms longer each`,
    ]);
    expect(gateNow()).toBeNull();
    expect(await ask(socket, call('one'))).toEqual(answerTo('one'));
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });
});

/** It is on every Debian, and holds a socket without taking a call from it, which Node cannot. */
const perl = 'perl';
const perlIsMissing = spawnSync(perl, ['-e', '1']).status !== 0;

/** Holds a socket as systemd does: runs the command with it as descriptor 3, and again when that has ended. */
const holder = `
use Socket; use POSIX ();
$^F = 10;
my ($path, $socket) = shift;
socket($socket, PF_UNIX, SOCK_STREAM, 0) && bind($socket, sockaddr_un($path)) && listen($socket, 100) or die;
POSIX::dup2(fileno($socket), 3);
system(@ARGV) for 1, 2;`;

/** A runtime, as far as such a socket is concerned: TERM stops it, INT ends it. */
const held = (listening: string): string => `
const answer = (request) => Promise.resolve(request);
const options = { place: { descriptor: 3 }, answer, patienceMs: 5_000, log: (_, message) => console.log(message) };
const listener = await ${listening};
process.once('SIGTERM', () => listener.stop().then(() => console.log('stopped')));
process.once('SIGINT', () => listener.close().then(() => process.exit()));
setInterval(() => undefined, 60_000);
console.log('listening as', process.pid);`;

const module = (name: string): string => JSON.stringify(join(packageRoot, 'dist/runtime/listener', name));
const withGate = `import { listenWithSteadyGate } from ${module('steady-gate.js')};
  ${held(`listenWithSteadyGate({ ...options, program: ${JSON.stringify(gateProgram)} })`)}`;
const withNode = `import { listenWithNode } from ${module('net-listener.js')}; ${held('listenWithNode(options)')}`;

interface Held {
  readonly socket: string;
  readonly said: () => string;
  /** The process that listens at present. */
  readonly listening: () => number;
}

async function hold(source: string): Promise<Held> {
  const socket = join(temporaryFolder(), 'socket');
  const command = [process.execPath, '--input-type=module', '-e', source];
  const child = spawn(perl, ['-e', holder, socket, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const listening = (): number => Number(/.*listening as (\d+)/su.exec(said)?.[1]);
  onTestFinished(async () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await once(child, 'close');
  });
  await expect.poll(() => said, { timeout: 10_000 }).toContain('listening');
  return { socket, said: () => said, listening };
}

describe.each([
  ['the gate', withGate],
  ['the listener in Node', withNode],
])('a socket that somebody else holds, through %s', (_, source) => {
  it('keeps the calls that come between one runtime and the next', async (ctx) => {
    if (perlIsMissing) ctx.skip('perl is not installed');
    const { socket, said, listening } = await hold(source);
    expect(await ask(socket, call('one'))).toEqual(call('one'));
    const first = listening();
    process.kill(first, 'SIGTERM');
    await expect.poll(said).toContain('stopped');
    const between = ask(socket, call('between'));
    process.kill(first, 'SIGINT');
    expect(await between).toEqual(call('between'));
    await expect.poll(listening).not.toBe(first);
    expect(existsSync(socket)).toBe(true);
  });
});

it('a socket that somebody else holds keeps the calls that come while a killed gate is started again', async (ctx) => {
  if (perlIsMissing) ctx.skip('perl is not installed');
  const { socket, said, listening } = await hold(withGate);
  for (let round = 0; round < 3; round++) {
    process.kill(gateOf(listening()), 'SIGKILL');
    const words = `call ${round}`;
    expect(await ask(socket, call(words))).toEqual(call(words));
  }
  expect(said().match(/exited \(it was terminated by SIGKILL\)/gu)).toHaveLength(3);
});
