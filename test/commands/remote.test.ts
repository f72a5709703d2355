import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Command } from '../../src/contract/protocol.js';
import { frameType } from '../../src/contract/hook-frames.js';
import { askRuntime } from '../../src/commands/remote.js';

import { encodeFrame, encodeHeadAndTail } from '../../src/contract/framing.js';
import { hookvisor } from '../support/command.js';
import { serve, writeConfig } from '../support/runtime.js';
import { temporaryFolder } from '../support/temp.js';

async function ask(socket: string, command: Command): Promise<unknown> {
  return askRuntime({ socket, command, timeoutMs: 30_000 });
}

const digest = '0'.repeat(64);
const promotion: Command = { command: 'promote', handler: 'nobody', from: digest, to: digest };

describe('a refusal of a running runtime', () => {
  it('of a reload with an invalid configuration has the code config-invalid', async () => {
    const { socket, dir } = await serve('');
    await writeConfig(dir, 'handlers: { one: { backend: none } }');
    await expect(ask(socket, { command: 'reload' })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('Cannot use the configuration') as string,
      fields: { refused: 'config-invalid' },
    });
  });

  it('of a reload with another socket has the code config-invalid', async () => {
    const { socket, dir, configFile } = await serve('');
    await writeFile(configFile, `version: 1\nsocket: ${join(dir, 'other.sock')}\njournal: false\n`);
    await expect(ask(socket, { command: 'reload' })).rejects.toMatchObject({ code: 'config-invalid' });
  });

  it('of a command that cannot be carried out has the code usage', async () => {
    const { socket } = await serve('');
    await expect(ask(socket, promotion)).rejects.toMatchObject({ code: 'usage', fields: { refused: 'usage' } });
  });

  it('of a command that it does not know has the code protocol', async () => {
    const { socket } = await serve('');
    const newer = { command: 'format-disk' } as unknown as Command;
    await expect(ask(socket, newer)).rejects.toMatchObject({ code: 'protocol', fields: { refused: 'protocol' } });
  });

  it('is what the command line prints, with exit status 2', async () => {
    const { socket, dir } = await serve('');
    await writeConfig(dir, 'handlers: { one: { backend: none } }');
    const run = await hookvisor('reload', '--socket', socket, '--json');
    expect(run.status).toBe(2);
    expect(JSON.parse(run.out)).toMatchObject({
      error: { code: 'config-invalid', fields: { refused: 'config-invalid' } },
    });
  });
});

describe('a refusal of another release', () => {
  /** What this release's runtime cannot be made to send. */
  async function refusing(code: string, message: string): Promise<string> {
    const socket = join(temporaryFolder(), 'newer.sock');
    const server = createServer((connection) => {
      connection.once('data', () => {
        connection.end(encodeFrame(frameType.refusal, ...encodeHeadAndTail({ code, message }, null)));
      });
    });
    server.listen(socket);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    return socket;
  }

  it('with a code that this one does not know has the code refused, and keeps its own and its message', async () => {
    const socket = await refusing('out-of-quota', 'Cannot do it: the quota is spent');
    await expect(ask(socket, { command: 'status' })).rejects.toMatchObject({
      code: 'refused',
      message: 'Cannot do it: the quota is spent',
      fields: { refused: 'out-of-quota' },
    });
    const run = await hookvisor('status', '--socket', socket);
    expect(run).toEqual({ status: 2, out: '', err: 'hookvisor: Cannot do it: the quota is spent\n' });
  });

  it('with a fault of the runtime is printed without the stack of the command', async () => {
    const socket = await refusing('internal', 'Cannot read what is not there');
    const run = await hookvisor('status', '--socket', socket);
    expect(run).toEqual({ status: 2, out: '', err: 'hookvisor: Cannot read what is not there\n' });
  });
});
