import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HandlerConfig } from '../../../src/runtime/config/config.js';
import { admitPlugin } from '../../../src/admission/admit.js';
import { encodeArtefact } from '../../../src/contract/artefact-codec.js';
import { createLauncher } from '../../../src/runtime/isolation/launcher.js';
import type { Confined, Mechanism } from '../../../src/runtime/isolation/mechanism.js';
import type { Answer, Lost } from '../../../src/runtime/supervision/runner.js';
import { startProcess } from '../../../src/runtime/isolation/sandbox-process.js';
import type { SandboxProcess } from '../../../src/runtime/isolation/sandbox-process.js';
import { createSupervisor } from '../../../src/runtime/supervision/supervisor.js';
import type { Supervisor, SupervisorOptions } from '../../../src/runtime/supervision/supervisor.js';
import {
  buildFixture,
  endless,
  errorOf,
  handlerConfig,
  hookCall,
  isAlive,
  openSandbox,
  samplePlugin,
  temporaryFolder,
  until,
} from '../../support/sandbox.js';

const allow = { outcome: 'allow' };
const open = /its breaker is open after 3 failures that cost its process; next trial in \d s/u;

describe('the breaker of a plugin that hangs', () => {
  it('opens, fails its events at once, and leaves the others of its runner alone', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    const spin = await backend.load(handlerConfig(endless(await opened.fixture('spin'), 150)));
    const tiny = await backend.load(handlerConfig());
    // The last three are already in the queue when it opens.
    const errors = await Promise.all(Array.from({ length: 6 }, () => errorOf(spin.evaluate(hookCall()))));
    const ends = errors.map((error) => ('failure' in error ? error.failure : null));
    expect(ends).toEqual([...Array<string>(3).fill('deadline'), ...Array<string>(3).fill('unavailable')]);
    expect(opened.sandbox.breaker(spin)).toMatchObject({ state: 'open', failures: 3 });
    const refused = await errorOf(spin.evaluate(hookCall()));
    expect(refused).toMatchObject({ code: 'handler-failed', failure: 'unavailable' });
    expect(refused.message).toMatch(open);
    expect((await tiny.evaluate(hookCall())).outcome).toEqual(allow);
    expect(opened.sandbox.breaker(tiny)).toEqual({ state: 'closed', failures: 0, retryInMs: null });
    expect(opened.sandbox.status().runners[0]).toMatchObject({ restarts: 3, queued: 0 });
  });

  it('lets one event try again after a second, and waits longer when that hangs too', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    const spin = await backend.load(handlerConfig(endless(await opened.fixture('spin'), 150)));
    await Promise.all(Array.from({ length: 3 }, () => errorOf(spin.evaluate(hookCall()))));
    await until(() => opened.sandbox.breaker(spin)?.retryInMs === 0);
    const trial = errorOf(spin.evaluate(hookCall('trial')));
    await until(() => opened.sandbox.breaker(spin)?.state === 'half-open');
    const meanwhile = await errorOf(spin.evaluate(hookCall('meanwhile')));
    expect(meanwhile.message).toMatch(/its breaker is open .*; a trial is in flight/u);
    expect(await trial).toMatchObject({ failure: 'deadline' });
    const { state, retryInMs } = opened.sandbox.breaker(spin) ?? {};
    expect(state).toBe('open');
    expect(retryInMs).toBeGreaterThan(1_000);
  });
});

describe('a runner that has used enough', () => {
  it('is replaced between two events, and no event is lost', async () => {
    const { supervisor, guest } = await supervisorOf({ recycle: { cpuMs: 1, growthBytes: Infinity } });
    const pids = new Set<number>();
    let answers = 0;
    while (supervisor.status().replacements < 2) {
      const burst = await Promise.all(Array.from({ length: 20 }, () => evaluate(supervisor, guest)));
      for (const answer of burst) expect(answer).toMatchObject({ reply: { kind: 'evaluated', outcome: 'allow' } });
      answers += burst.length;
      const { pid } = supervisor.status();
      if (pid !== null) pids.add(pid);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(answers).toBeGreaterThan(0);
    expect(supervisor.status()).toMatchObject({ restarts: 0, queued: 0, handlers: ['plugin'] });
    const { pid } = supervisor.status();
    await until(() => [...pids].every((old) => old === pid || !isAlive(old)));
  });
});

describe('a runner that is due for replacement and is killed while its successor is ready', () => {
  it('makes way for it, and the next event is answered', async () => {
    const said: string[] = [];
    await using folder = await temporaryFolder();
    const launcher = createLauncher();
    const recycle = { cpuMs: Infinity, growthBytes: Infinity };
    const started: SandboxProcess[] = [];
    // What the successor says is not heard before the old one is busy.
    const heard = new PassThrough();
    const { supervisor, guest } = await supervisorOf({
      launcher: {
        ...launcher,
        launch(kind) {
          const child = launcher.launch(kind);
          return started.push(child) === 2 ? { ...child, stdout: heard } : child;
        },
      },
      recycle,
      idleMs: 10,
      log: (_, message) => said.push(message),
    });
    const spin = await loadInto(supervisor, await buildFixture('spin', folder.path), Number.MAX_SAFE_INTEGER);
    recycle.cpuMs = 1;
    await evaluate(supervisor, guest);
    await expect.poll(() => started.length, polling).toBe(2);
    const busy = evaluate(supervisor, spin, 60_000);
    const [old, successor] = started;
    if (old === undefined || successor === undefined) throw new Error('no successor was started');
    successor.stdout.pipe(heard);
    // It says so when it has loaded a plugin, and another.
    await once(heard, 'data');
    await once(heard, 'data');
    const next = evaluate(supervisor, guest);
    old.kill();
    expect(await busy).toMatchObject({ failure: 'crashed', sent: true });
    expect(await next).toMatchObject({ reply: { outcome: 'allow' } });
    expect(said.join('\n')).toContain('its replacement is starting');
  }, 60_000);
});

describe('a runner that dies again and again', () => {
  const waitsIn = (said: readonly string[]): string[] =>
    said.flatMap((line) => /restarting it in (\d+) ms/u.exec(line)?.[1] ?? []);

  it('is started later each time, and events wait for it', async () => {
    const said: string[] = [];
    const { supervisor, guest } = await supervisorOf({
      // However long a loaded machine takes to look.
      stableAfterMs: Infinity,
      log: (_, message) => said.push(message),
    });
    for (let round = 0; round < 3; round += 1) {
      await expect.poll(() => supervisor.status().state, polling).toBe('ready');
      process.kill(supervisor.status().pid ?? Number.NaN, 'SIGKILL');
      // The wait itself may be over before a loaded machine looks.
      await expect.poll(() => waitsIn(said), polling).toHaveLength(round + 1);
    }
    expect(waitsIn(said)).toEqual(['100', '200', '400']);
    expect(await evaluate(supervisor, guest, 60_000)).toMatchObject({ reply: { outcome: 'allow' } });
  }, 60_000);

  it('is not well because it takes long to start', async () => {
    const said: string[] = [];
    const supervisor = createSupervisor({
      trust: 'a',
      stableAfterMs: 50,
      log: (_, message) => said.push(message),
      launcher: { isolation: createLauncher().isolation, launch: () => startProcess(sleeper, nothingOfIt) },
    });
    onTestFinished(() => supervisor[Symbol.asyncDispose]());
    await expect.poll(() => waitsIn(said), polling).toEqual(['100', '200']);
  }, 60_000);
});

describe('an idle runner', () => {
  it('gives its instances back and answers the next event all the same', async () => {
    const { supervisor, guest } = await supervisorOf({ idleMs: 20 });
    for (let round = 0; round < 3; round += 1) {
      expect(await evaluate(supervisor, guest)).toMatchObject({ reply: { outcome: 'allow' } });
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(supervisor.status()).toMatchObject({ restarts: 0, replacements: 0 });
  });
});

describe('a runner whose instances fill 32 MiB each', () => {
  const mib = 1024 * 1024;

  it('is smaller when it is idle: it has one instance left of two', async () => {
    const { supervisor, guest, emptyBytes } = await heavySupervisor({ idleMs: 1_000 });
    let most = 0;
    await evaluate(supervisor, guest);
    await expect
      .poll(() => (most = Math.max(most, runnerBytes(supervisor) - emptyBytes)), polling)
      .toBeGreaterThan(60 * mib);
    await expect.poll(() => runnerBytes(supervisor) - emptyBytes, polling).toBeLessThan(52 * mib);
    expect(supervisor.status()).toMatchObject({ restarts: 0, replacements: 0 });
  }, 60_000);

  it('is replaced when that is more than it may grow by, and no event is lost', async () => {
    const said: string[] = [];
    const { supervisor, guest } = await heavySupervisor({
      idleMs: 200,
      recycle: { cpuMs: Infinity, growthBytes: 20 * mib },
      log: (_, message) => said.push(message),
    });
    const { pid } = supervisor.status();
    expect(await evaluate(supervisor, guest)).toMatchObject({ reply: { outcome: 'allow' } });
    await expect.poll(() => supervisor.status().replacements, polling).toBeGreaterThan(0);
    // Where /proc is not to be seen it is the peak that counts, with those that V8 had not collected by then.
    expect(said.join('\n')).toMatch(
      /^Replacing the runner of trust group 'a': its memory has grown by (?:[2-9]|1\d)\d MiB$/mu,
    );
    expect(supervisor.status().pid).not.toBe(pid);
    expect(await evaluate(supervisor, guest)).toMatchObject({ reply: { outcome: 'allow' } });
    await expect.poll(() => pid !== null && isAlive(pid), polling).toBe(false);
  }, 60_000);

  it('stays when giving one back is enough', async () => {
    const { supervisor, guest, emptyBytes } = await heavySupervisor({
      idleMs: 1_000,
      recycle: { cpuMs: Infinity, growthBytes: 58 * mib },
    });
    await evaluate(supervisor, guest);
    await expect.poll(() => runnerBytes(supervisor) - emptyBytes, polling).toBeGreaterThan(60 * mib);
    await expect.poll(() => runnerBytes(supervisor) - emptyBytes, polling).toBeLessThan(52 * mib);
    expect(await evaluate(supervisor, guest)).toMatchObject({ reply: { outcome: 'allow' } });
    expect(supervisor.status()).toMatchObject({ restarts: 0, replacements: 0 });
  }, 60_000);
});

/** In the place of a runner: it never answers, and ends long after it counts as well. */
const sleeper: Mechanism = { name: 'process', lacks: [], filter: null, wrap: () => ['/bin/sleep', '0.3'] };
const nothingOfIt: Confined = { command: [], readable: [], limits: { memoryMiB: 0, cpuSeconds: 0, processes: 0 } };

const polling = { timeout: 20_000, interval: 20 };

/** A supervisor of a runner that has a small plugin first, and what the runner took then. */
async function heavySupervisor(
  options: Parameters<typeof supervisorOf>[0],
): Promise<{ supervisor: Supervisor; guest: number; emptyBytes: number }> {
  const { supervisor, guest: small } = await supervisorOf(options);
  await evaluate(supervisor, small);
  const emptyBytes = runnerBytes(supervisor);
  await using folder = await temporaryFolder();
  const guest = await loadInto(supervisor, await buildFixture('heavy', folder.path));
  return { supervisor, guest, emptyBytes };
}

/** The resident memory of a runner's process and of what it was started through. */
function runnerBytes(supervisor: Supervisor): number {
  const { pid } = supervisor.status();
  if (pid === null) return 0;
  const resident = (one: number): number => {
    const status = textOf(`/proc/${one}/status`);
    const children = textOf(`/proc/${one}/task/${one}/children`).split(' ').filter(Boolean).map(Number);
    const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/mu.exec(status) ?? [];
    return children.reduce((sum, child) => sum + resident(child), Number(kib) * 1_024);
  };
  return resident(pid);
}

/** Nothing of a process that has just ended. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function supervisorOf(
  options: Partial<Pick<SupervisorOptions, 'recycle' | 'idleMs' | 'log' | 'launcher' | 'stableAfterMs'>> & {
    source?: string;
    fuel?: number;
  },
): Promise<{ supervisor: Supervisor; guest: number }> {
  const { source = samplePlugin('tiny-allow'), fuel, ...rest } = options;
  const supervisor = createSupervisor({ trust: 'a', log: () => undefined, launcher: createLauncher(), ...rest });
  onTestFinished(() => supervisor[Symbol.asyncDispose]());
  return { supervisor, guest: await loadInto(supervisor, source, fuel) };
}

async function loadInto(supervisor: Supervisor, source: string, fuel?: number): Promise<number> {
  const defaults: HandlerConfig['limits'] = handlerConfig().limits;
  const limits = { ...defaults, fuel: fuel ?? defaults.fuel };
  const bytes = await readFile(source);
  const artefact = await admitPlugin(bytes, { backend: 'component', memoryBytes: limits.memoryBytes });
  const guest = await supervisor.load({ name: 'plugin', artefact: encodeArtefact(artefact), settings: '{}', limits });
  if (typeof guest !== 'number') throw new Error('the plugin was not loaded');
  return guest;
}

function evaluate(supervisor: Supervisor, handler: number, deadlineMs = 5_000): Promise<Answer | Lost> {
  const { event } = hookCall();
  return new Promise((done) => {
    const request = { kind: 'evaluate', handler, event, document: false } as const;
    supervisor.submit({ request, tail: null, deadlineMs, done });
  });
}
