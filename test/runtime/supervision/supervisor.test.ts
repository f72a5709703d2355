import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/shared/paths.js';
import { createLauncher } from '../../../src/runtime/isolation/launcher.js';
import {
  buildFixture,
  endless,
  errorOf,
  handlerConfig,
  hookCall,
  isAlive,
  openSandbox,
  runnerPid,
  samplePlugin,
  temporaryFolder,
  until,
} from '../../support/sandbox.js';

const allow = { outcome: 'allow' };

describe('the deadline', () => {
  it('kills the runner and costs only the event that missed it', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    const spin = await backend.load(handlerConfig(endless(await opened.fixture('spin'), 200)));
    const tiny = await backend.load(handlerConfig());
    const pid = runnerPid(opened.sandbox);
    const missed = errorOf(spin.evaluate(hookCall()));
    const behind = [tiny.evaluate(hookCall('a')), tiny.evaluate(hookCall('b'))];
    const error = await missed;
    expect(error).toMatchObject({ code: 'handler-failed', failure: 'deadline' });
    expect(error.message).toBe(
      "Cannot decide with handler 'endless': no answer within 200 ms, so its process was killed; " +
        "raise its 'deadline' or make the plug-in faster",
    );
    expect((await Promise.all(behind)).map(({ outcome }) => outcome)).toEqual([allow, allow]);
    expect(isAlive(pid)).toBe(false);
    expect(opened.sandbox.status().runners[0]).toMatchObject({
      restarts: 1,
      queued: 0,
      handlers: ['endless', 'plugin'],
    });
  });

  it('of a short event is kept after one with a long deadline', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    const tiny = await backend.load(handlerConfig());
    const spin = await backend.load(handlerConfig(endless(await opened.fixture('spin'), 100)));
    await tiny.evaluate(hookCall());
    const start = performance.now();
    expect(await errorOf(spin.evaluate(hookCall()))).toMatchObject({ failure: 'deadline' });
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('a runner that dies', () => {
  it('under an event costs that event', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    const spin = await backend.load(handlerConfig(endless(await opened.fixture('spin'), 20_000)));
    const tiny = await backend.load(handlerConfig());
    const crashed = errorOf(spin.evaluate(hookCall()));
    const behind = tiny.evaluate(hookCall());
    expect(opened.sandbox.status().runners[0]).toMatchObject({ state: 'busy', queued: 1 });
    process.kill(runnerPid(opened.sandbox), 'SIGKILL');
    const error = await crashed;
    expect(error).toMatchObject({ failure: 'crashed' });
    expect(error.message).toBe("Cannot decide with handler 'endless': its process died: it was terminated by SIGKILL");
    expect((await behind).outcome).toEqual(allow);
  });

  it('while idle costs no event', async () => {
    await using opened = await openSandbox();
    const tiny = await opened.sandbox.backend('component').load(handlerConfig());
    const pid = runnerPid(opened.sandbox);
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(pid) || opened.sandbox.status().runners[0]?.pid !== pid);
    expect((await tiny.evaluate(hookCall())).outcome).toEqual(allow);
    expect(runnerPid(opened.sandbox)).not.toBe(pid);
    expect(opened.logged.join('\n')).toMatch(
      /The runner of trust group 'operator' died \(it was terminated by SIGKILL\)/u,
    );
  });
});

describe('a runner whose runtime is killed', () => {
  const modes = createLauncher().isolation.protections.includes('dies-with-runtime')
    ? (['idle', 'busy'] as const)
    : (['idle'] as const);
  it.each(modes)('ends too when it is %s', async (mode) => {
    await using folder = await temporaryFolder();
    const source = mode === 'busy' ? await buildFixture('spin', folder.path) : samplePlugin('tiny-allow');
    const script = join(packageRoot, 'test', 'fixtures', 'sandbox', 'parent.mjs');
    const module = join(packageRoot, 'dist', 'runtime', 'sandbox.js');
    const args = [script, module, join(folder.path, 'cache'), source, mode];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});
