import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { hookCaller } from '../support/client.js';
import { samplePlugin, writeConfig } from '../support/runtime.js';
import { temporaryFolder, writeScript } from '../support/temp.js';

interface Served {
  readonly process: ChildProcess;
  /** All that it has said so far. */
  said(): string;
  /** Waits until it has said `text`. */
  says(text: string): Promise<void>;
}

/** Starts `hookvisor serve` as an administrator would. */
function serve(config: string): Served {
  const child = spawn(process.execPath, [join(packageRoot, 'dist/commands/main.js'), 'serve', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return {
    process: child,
    said: () => said,
    says: async (text) => {
      await expect.poll(() => said, { timeout: 20_000 }).toContain(text);
    },
  };
}

describe('hookvisor serve', () => {
  it('takes its configuration anew on SIGHUP, and keeps the old one when the new one is bad', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'deny', 'echo "not here" >&2; exit 1');
    const served = serve(await writeConfig(dir, ''));
    await served.says('listening on');
    const call = hookCaller(dir, join(dir, 'hv.sock'));
    expect((await call('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(0);

    await writeConfig(dir, `events_script: ${script}`);
    served.process.kill('SIGHUP');
    await served.says('is active');
    expect(await call('qemu', ['tiny', 'start', 'begin', '-'])).toMatchObject({
      status: 1,
      stderr: 'events_script: not here\n',
    });

    await writeConfig(dir, 'handlers: { x: 1 }');
    served.process.kill('SIGHUP');
    await served.says('the active configuration is kept');
    expect(served.said()).toContain('handlers.x');
    expect((await call('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(1);
  });

  it('answers what is under way on SIGTERM, exits with 0 and removes its socket', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'slow', `touch ${dir}/began; sleep 0.5; echo "after the signal" >&2; exit 1`);
    const served = serve(await writeConfig(dir, `events_script: ${script}`));
    await served.says('listening on');
    const running = hookCaller(dir, join(dir, 'hv.sock'))('qemu', ['tiny', 'start', 'begin', '-']);
    await expect.poll(() => existsSync(join(dir, 'began'))).toBe(true);
    const exited = once(served.process, 'exit');
    served.process.kill('SIGTERM');
    expect(await running).toMatchObject({ status: 1, stderr: 'events_script: after the signal\n' });
    expect(await exited).toEqual([0, null]);
    expect(existsSync(join(dir, 'hv.sock'))).toBe(false);
  });

  it('is refused a second time on the same socket, with status 2, and the first goes on', async () => {
    const dir = temporaryFolder();
    const config = await writeConfig(dir, '');
    const first = serve(config);
    await first.says('listening on');
    const second = serve(config);
    expect(await once(second.process, 'exit')).toEqual([2, null]);
    await second.says('another runtime');
    expect((await hookCaller(dir, join(dir, 'hv.sock'))('daemon', ['-', 'start', '-', 'start'])).status).toBe(0);
  });

  it('starts again over the socket of one that was killed', async () => {
    const dir = temporaryFolder();
    const config = await writeConfig(
      dir,
      `handlers: { tiny: { backend: component, source: ${samplePlugin('tiny-allow')}, failurePolicy: fail } }
routes: [ { match: {}, handlers: [tiny] } ]`,
    );
    const first = serve(config);
    await first.says('listening on');
    const exited = once(first.process, 'exit');
    first.process.kill('SIGKILL');
    await exited;
    expect(existsSync(join(dir, 'hv.sock'))).toBe(true);
    const second = serve(config);
    await second.says('listening on');
    expect((await hookCaller(dir, join(dir, 'hv.sock'))('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(0);
  });

  it('says on one line each what is wrong with a configuration, and exits with 2', async () => {
    const dir = temporaryFolder();
    const served = serve(await writeConfig(dir, 'routes: [ { match: {}, handlers: [nobody] } ]\nhandler: {}'));
    expect(await once(served.process, 'exit')).toEqual([2, null]);
    await served.says("'nobody'");
    await served.says("'handlers'");
  });
});
