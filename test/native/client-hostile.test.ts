import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { encodeFrame, encodeHeadAndTail } from '../../src/contract/framing.js';
import { answering, startHookServer, writing, type HookServer } from '../support/hook-server.js';
import { clients, createBench, type HookRun } from './run-hook.js';

const foreignElf = Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(57, 0xee)]);
const perl = '/usr/bin/perl';
/** 199 bytes, and then a character of which only the first byte would fit into the 200 that are shown. */
const longName = `/${'a'.repeat(198)}`;

/** One table for both clients: what the script is, and what the client exits with and says of it. */
const scripts: readonly { readonly what: string; readonly text: string | Buffer; readonly says: string }[] = [
  { what: 'has no first line with #!', text: 'exit 0\n', says: 'Exec format error' },
  { what: 'begins with a shell command', text: ':\nexit 0\n', says: 'Exec format error' },
  { what: 'is empty', text: '', says: 'Exec format error' },
  { what: 'begins with a space before #!', text: ' #!/bin/sh\nexit 0\n', says: 'Exec format error' },
  { what: 'names no interpreter', text: '#!\nexit 0\n', says: 'Exec format error' },
  { what: 'is a program for another machine', text: foreignElf, says: 'Exec format error' },
  { what: 'names an interpreter that is not there', text: '#!/nowhere/sh\n', says: 'No such file or directory' },
  { what: 'names a folder as its interpreter', text: '#!/tmp\n', says: 'Permission denied' },
];

describe.each(clients)('$label', ({ file }) => {
  const bench = createBench(file);
  let server: HookServer | null = null;
  let files = 0;
  const scriptOf = (text: string | Buffer): string => bench.write(`script-${files++}`, text, 0o755);

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = null;
  });
  afterAll(() => {
    bench.remove();
  });

  it.each(scripts)('denies when the script $what', async ({ text, says }) => {
    const path = scriptOf(text);
    const result = await bench.run({ stdin: Buffer.from('<d/>'), unreachable: `script ${path}` });
    expect(result.stderr).toBe(
      `hookvisor: cannot run '${path}', which the policy for an unreachable runtime names: ${says}; correct the file\n`,
    );
    expect([result.status, result.stdout.length]).toEqual([1, 0]);
  });

  it('denies when the interpreter is a script without #!', async () => {
    const path = scriptOf(`#!${scriptOf('exit 0\n')}\nexit 0\n`);
    const result = await bench.run({ unreachable: `script ${path}` });
    expect(result).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Exec format error; correct') as string,
    });
  });

  it('ends a script in time that leaves its process group', async (ctx) => {
    if (!existsSync(perl)) ctx.skip(`${perl} is not installed, which can change its process group`);
    const path = scriptOf(`#!${perl}\n$SIG{TERM} = 'IGNORE'; setpgrp(0, getpgrp(getppid())); sleep 30;\n`);
    const result = await bench.run({ unreachable: `script ${path}\ndeadline 0.5` });
    expect(result.status).toBe(1);
    expect(result.stderr).toBe(`hookvisor: '${path}' did not finish in time and was killed\n`);
    expect(result.ms).toBeLessThan(12_000);
  });

  it.each([
    ['start', 1],
    ['reconnect', 0],
  ])('keeps its deadline when nobody reads what it prints, and then exits with %s %i', async (operation, status) => {
    server = await startHookServer(bench.socket, answering(0, 'x'.repeat(1_000_000)));
    await bench.run({}); // installs the hook
    const policy = bench.write(`policy-of-${operation}`, 'deny\ndeadline 1\n');
    const shell = `("$0" vm ${operation} begin - </dev/null; echo $? >&3) 3>&2 2>&4 | sleep 20`;
    const start = performance.now();
    const env = { ...process.env, HOOKVISOR_SOCKET: bench.socket, HOOKVISOR_UNREACHABLE: policy };
    const child = spawn('/bin/bash', ['-c', shell, join(bench.folder, 'qemu')], {
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'pipe'],
    });
    const [exited, said] = await Promise.all([first(child.stderr), first(child.stdio[4])]);
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    expect(exited).toBe(`${status}\n`);
    expect(said).toBe('hookvisor: the document cannot be written for libvirt: it was not read in time\n');
    expect(performance.now() - start).toBeLessThan(12_000);
  });

  it('shows no half of a character where it cuts a path', async () => {
    const result = await bench.run({ unreachable: `script ${longName}ébc` });
    expect(result.stderr).toContain(`hookvisor: cannot run '${longName}', which the policy`);
  });

  it('shows no half of a character where it cuts what the runtime says', async () => {
    const head = (pad: string): Buffer =>
      encodeFrame(0x1f, ...encodeHeadAndTail({ code: 'protocol', message: pad + '🙂'.repeat(200) }, null));
    for (const pad of ['', 'a', 'ab', 'abc']) {
      server = await startHookServer(bench.socket, writing(head(pad)));
      const { stderr } = await bench.run({ unreachable: 'deny' } satisfies HookRun);
      expect(stderr).toMatch(/it refused the call: \{"code":"protocol","message":"[abc]*🙂{60,70}\)/u);
      await server[Symbol.asyncDispose]();
    }
  });
});

/** The first thing that comes. */
function first(stream: unknown): Promise<string> {
  if (!(stream instanceof Readable)) throw new Error('there is no pipe');
  return new Promise((resolve) => {
    stream.once('data', (bytes: Buffer) => {
      resolve(bytes.toString());
    });
    stream.once('end', () => {
      resolve('(nothing)');
    });
  });
}
