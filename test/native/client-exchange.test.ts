import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { answering, echoing, encodeAnswer, startHookServer, type Behaviour } from '../support/hook-server.js';
import type { HookServer } from '../support/hook-server.js';
import { clients, createBench } from './run-hook.js';

describe.each(clients)('$label', ({ file }) => {
  const bench = createBench(file);
  let server: HookServer | null = null;

  async function serve(behave: Behaviour): Promise<HookServer> {
    server = await startHookServer(bench.socket, behave);
    return server;
  }

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = null;
  });
  afterAll(() => {
    bench.remove();
  });

  it.each([0, 1, 2_048, 65_526, 65_536, 5 * 1024 * 1024])(
    'a document of %i random bytes arrives and comes back byte for byte',
    async (size) => {
      const document = randomBytes(size);
      const { calls } = await serve(echoing);
      const result = await bench.run({ args: ['vm', 'migrate', 'begin', '-'], stdin: document });
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(result.stdout.equals(document)).toBe(true);
      expect(calls[0]?.document.equals(document)).toBe(true);
    },
  );

  it.each(['null', 'closed'] as const)('a stdin that is %s is an empty document', async (stdin) => {
    const { calls } = await serve(answering(0));
    const result = await bench.run({ stdin });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(calls[0]?.document.length).toBe(0);
  });

  it.each([0, 1, 3, 255])('exit status %i is passed on', async (status) => {
    await serve(answering(status));
    expect(await bench.run({})).toMatchObject({ status, stderr: '' });
  });

  it('stdout and stderr are passed on, each to its own', async () => {
    await serve(answering(7, '<domain/>\n', 'the name is taken\n'));
    const result = await bench.run({});
    expect(result).toMatchObject({ status: 7, stderr: 'the name is taken\n' });
    expect(result.stdout.toString()).toBe('<domain/>\n');
  });

  it('an answer that arrives byte by byte is put together', async () => {
    await serve((connection) => {
      const bytes = encodeAnswer(4, Buffer.from('out'), Buffer.from('err'));
      let at = 0;
      const timer = setInterval(() => {
        if (at < bytes.length) connection.write(bytes.subarray(at, ++at));
        else clearInterval(timer);
      }, 1);
    });
    const result = await bench.run({});
    expect(result).toMatchObject({ status: 4, stderr: 'err' });
    expect(result.stdout.toString()).toBe('out');
  });

  it.each([
    ['qemu', 'qemu'],
    ['network', 'network'],
    ['etc/hooks/lxc', 'lxc'],
    ['qemu.d/50-hookvisor', 'qemu'],
    ['etc/network.d/lxc', 'network'],
    ['.d/libxl', 'libxl'],
  ])('as %s it is the hook of driver %s', async (hook, driver) => {
    const { calls } = await serve(answering(0));
    await bench.run({ hook, args: ['name', 'start', 'begin', '-'] });
    expect(calls[0]?.words.map(String)).toEqual([driver, 'name', 'start', 'begin', '-']);
  });

  it.each([
    ['-rf', '-rf'],
    ['--help', '--help'],
    ['--version', '--version'],
    ['-e', '-e'],
    ['../x', '../x'],
    ['for a shell', 'a b;rm -rf $HOME `id`'],
    ['with a line break', 'line\nbreak'],
    ['with an escape sequence', '\u001b[31mred'],
    ['ünïcödé', 'ünïcödé'],
    ['that is empty', ''],
    ['of 4 KB', 'x'.repeat(4_096)],
    ['of 100 KB', 'y'.repeat(100_000)],
  ])('a name %s is an argument like any other', async (_, name) => {
    const { calls } = await serve(answering(0));
    const result = await bench.run({ args: [name, 'start', 'begin', 'from snapshot'] });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout.length).toBe(0);
    expect(calls[0]?.words.map(String)).toEqual(['qemu', name, 'start', 'begin', 'from snapshot']);
  });

  it('a name that is not UTF-8 arrives byte for byte', async () => {
    const { calls } = await serve(answering(0));
    const shell = bench.write('bytes.sh', `#!/bin/sh\nexec "$1" "$(printf '\\377\\200x')" start begin -\n`, 0o755);
    await bench.run({}); // installs the hook that the shell runs
    await new Promise((resolve) => {
      const env = { ...process.env, HOOKVISOR_SOCKET: bench.socket };
      execFile(shell, [`${bench.folder}/qemu`], { env }, resolve).stdin?.end();
    });
    expect(calls[1]?.words[1]).toEqual(Buffer.from([0xff, 0x80, 0x78]));
  });

  it.each([
    [['vm'], ['qemu', 'vm']],
    [[], ['qemu']],
    [
      ['vm', 'start', 'begin', '-', 'more', ''],
      ['qemu', 'vm', 'start', 'begin', '-', 'more', ''],
    ],
  ])('the arguments %j are sent as they are, few or many', async (args, words) => {
    const { calls } = await serve(answering(0));
    await bench.run({ args });
    expect(calls[0]?.words.map(String)).toEqual(words);
  });
});
