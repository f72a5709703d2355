import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createLauncher } from '../../../src/runtime/isolation/launcher.js';
import { inspectorAddress } from '../../../src/runtime/isolation/node-command.js';

afterEach(() => {
  delete process.env['HOOKVISOR_INSPECT'];
});

const commandOf = (pid: number | null): string => readFileSync(`/proc/${pid ?? 0}/cmdline`, 'utf8');

describe('HOOKVISOR_INSPECT', () => {
  it('lets a debugger attach to a runner without isolation', async (ctx) => {
    if (process.getuid?.() === 0) ctx.skip('root may not: a plain user runs this');
    process.env['HOOKVISOR_INSPECT'] = 'runner';
    const child = createLauncher({ require: 'process', isolation: 'process' }).launch('runner');
    onTestFinished(child.kill);
    const targets = async (): Promise<string> =>
      fetch(`http://${inspectorAddress}/json/list`).then(
        (answer) => answer.text(),
        () => '',
      );
    await expect.poll(targets, { timeout: 30_000, interval: 100 }).toContain('dist/runner/main.js');
  });

  it('is off unless it names the kind of the process', async () => {
    for (const value of [undefined, 'admission', '']) {
      if (value === undefined) delete process.env['HOOKVISOR_INSPECT'];
      else process.env['HOOKVISOR_INSPECT'] = value;
      const child = createLauncher({ require: 'process', isolation: 'process' }).launch('runner');
      onTestFinished(child.kill);
      expect(commandOf(child.pid)).not.toContain('inspect');
      child.kill();
      await child.ended;
    }
  });

  it('is ignored by root, whose process any local user could take over', async (ctx) => {
    if (process.getuid?.() !== 0) ctx.skip('needs root');
    process.env['HOOKVISOR_INSPECT'] = 'runner';
    const child = createLauncher({ require: 'process', isolation: 'process' }).launch('runner');
    onTestFinished(child.kill);
    expect(commandOf(child.pid)).not.toContain('inspect');
    child.kill();
    await child.ended;
  });

  it('is ignored where a process is isolated', async (ctx) => {
    const launcher = createLauncher({ require: 'process', isolation: 'auto' });
    if (launcher.isolation.mechanism === 'process') ctx.skip('nothing isolates processes here');
    process.env['HOOKVISOR_INSPECT'] = 'runner';
    const child = launcher.launch('runner');
    onTestFinished(child.kill);
    expect(commandOf(child.pid)).not.toContain('inspect');
    child.kill();
    await child.ended;
  });
});
