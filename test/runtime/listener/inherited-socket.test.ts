import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, expect, it } from 'vitest';
import { z } from 'zod';
import { askRuntime } from '../../../src/commands/remote.js';
import { inheritedSocket } from '../../../src/runtime/listener/inherited-socket.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { writeConfig } from '../../support/runtime.js';
import { temporaryFolder } from '../../support/temp.js';

/** Binds the socket, starts the command with it as descriptor 3, and dies: nobody else takes connections from it. */
const helper = `
const { createServer } = require('node:net');
const { spawn } = require('node:child_process');
const [path, ...command] = process.argv.slice(1);
const server = createServer().listen(path, () => {
  const child = spawn('/bin/sh', ['-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', 'sh', ...command], {
    stdio: ['ignore', 'ignore', 'inherit', server._handle],
  });
  child.once('spawn', () => process.kill(process.pid, 'SIGKILL'));
});`;

/** Starts `hookvisor serve` as systemd does: descriptor 3 listens, and LISTEN_PID names the process that was executed. */
async function activated(dir: string, listening: string): Promise<{ said: () => string; end: Promise<unknown> }> {
  const config = await writeConfig(dir, '');
  const main = join(packageRoot, 'dist', 'commands', 'main.js');
  const serve = [process.execPath, main, 'serve', '--config', config];
  const child = spawn(process.execPath, ['-e', helper, listening, ...serve], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  // The pipe is closed when the runtime, too, has ended.
  const end = once(child, 'close');
  onTestFinished(() => {
    const pid = /pid (\d+)/u.exec(said)?.[1];
    if (pid === undefined) return;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });
  return { said: () => said, end };
}

it('a socket that systemd holds is served, and left in place at the end', async () => {
  const dir = temporaryFolder();
  const socket = join(dir, 'hv.sock');
  const { end, said } = await activated(dir, socket);
  await expect.poll(said, { timeout: 15_000 }).toContain('listening on');
  const { head } = await askRuntime({ socket, command: { command: 'status' }, timeoutMs: 10_000 });
  const { status } = z.object({ status: z.object({ pid: z.number() }) }).parse(head);
  process.kill(status.pid, 'SIGTERM');
  await end;
  expect(existsSync(socket)).toBe(true);
});

it('a socket at another path than the configured one is refused', async () => {
  const dir = temporaryFolder();
  const { end, said } = await activated(dir, join(dir, 'other.sock'));
  await end;
  expect(said()).toContain(
    `Cannot listen on '${join(dir, 'hv.sock')}': systemd passed a socket at '${join(dir, 'other.sock')}'`,
  );
});

it('a socket that was meant for another process is not taken', () => {
  expect(inheritedSocket('/x', { LISTEN_PID: '1', LISTEN_FDS: '1' })).toBeNull();
  expect(inheritedSocket('/x', {})).toBeNull();
});
