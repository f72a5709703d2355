import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { encodeFrame, encodeHeadAndTail } from '../../src/contract/framing.js';
import { catalog } from '../../src/runtime/libvirt/catalog.js';
import { encodeAnswer, startHookServer, writing, type Behaviour, type HookServer } from '../support/hook-server.js';
import { clients, createBench, inParallel } from './run-hook.js';

const wrongVersion = Buffer.from(encodeAnswer(0, Buffer.alloc(0), Buffer.alloc(0)));
wrongVersion.writeUInt8(2, 4);
const wholeAnswer = encodeAnswer(0, Buffer.from('<domain/>'), Buffer.alloc(0));
const shortAnswer = encodeFrame(0x02, Buffer.from([0, 0, 0, 0, 9, 65]));
const hugeFrame = Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 0, 0]);
const refusal = encodeFrame(0x1f, ...encodeHeadAndTail({ code: 'protocol', message: 'no\u0007such' }, null));
const silent: Behaviour = () => undefined;

/** How a runtime can fail to answer, and what the client says of it. */
const failures: readonly { readonly what: string; readonly behave: Behaviour; readonly says: string }[] = [
  { what: 'hangs up at once', behave: writing(Buffer.alloc(0)), says: 'it closed the connection without an answer' },
  {
    what: 'sends half a frame',
    behave: writing(wholeAnswer.subarray(0, 12)),
    says: 'it closed the connection during its answer',
  },
  {
    what: 'sends half a header',
    behave: writing(wholeAnswer.subarray(0, 3)),
    says: 'it closed the connection during its answer',
  },
  { what: 'speaks version 2', behave: writing(wrongVersion), says: 'it uses protocol version 2, not 1' },
  { what: 'announces 4 GB', behave: writing(hugeFrame), says: 'it announced a frame of 4294967295 bytes' },
  { what: 'announces no frame', behave: writing(Buffer.from([0, 0, 0, 1, 1, 2])), says: 'it announced a frame of 1' },
  { what: 'answers a stdout that is not there', behave: writing(shortAnswer), says: 'it sent a truncated answer' },
  { what: 'sends an empty answer', behave: writing(encodeFrame(2)), says: 'it sent a truncated answer' },
  { what: 'sends another frame', behave: writing(encodeFrame(0x11)), says: 'it sent a frame of unknown type 17' },
  { what: 'refuses', behave: writing(refusal), says: 'it refused the call: {"code":"protocol","message":"no\\u0007s' },
  { what: 'refuses without a word', behave: writing(encodeFrame(0x1f)), says: 'it refused the call: )' },
  { what: 'never answers', behave: silent, says: 'it did not answer in time' },
];

describe.each(clients)('$label', ({ file }) => {
  const bench = createBench(file);
  const noted = bench.write('noted', `#!/bin/sh\necho noted\nexit 5\n`, 0o755);
  let server: HookServer | null = null;
  const children: ChildProcess[] = [];

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = null;
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(bench.socket, { force: true, recursive: true });
  });
  afterAll(() => {
    bench.remove();
  });

  describe.each(failures)('when the runtime $what', ({ behave, says }) => {
    it('denies what a denial aborts, allows all else, and follows the policy', async () => {
      server = await startHookServer(bench.socket, behave);
      const deadline = behave === silent ? 0.8 : 20;
      const cases = [
        { policy: 'deny', operation: 'start', status: 1, stdout: '' },
        { policy: 'allow', operation: 'start', status: 0, stdout: '' },
        { policy: `script ${noted}`, operation: 'start', status: 5, stdout: 'noted\n' },
        { policy: 'deny', operation: 'reconnect', status: 0, stdout: '' },
        { policy: 'allow', operation: 'reconnect', status: 0, stdout: '' },
        { policy: `script ${noted}`, operation: 'reconnect', status: 0, stdout: 'noted\n' },
      ];
      await inParallel(cases, 3, async ({ policy, operation, status, stdout }) => {
        const args = ['vm', operation, 'begin', '-'];
        const result = await bench.run({
          args,
          stdin: Buffer.from('<d/>'),
          unreachable: `${policy}\ndeadline ${deadline}\n`,
        });
        expect([policy, operation, result.status, result.stdout.toString()]).toEqual([
          policy,
          operation,
          status,
          stdout,
        ]);
        if (policy.startsWith('script')) expect(result.stderr).toBe('');
        else expect(result.stderr).toContain(`hookvisor: the runtime at ${bench.socket} cannot be reached (${says}`);
        expect(result.stderr.split('\n').length).toBeLessThanOrEqual(2);
      });
    });
  });

  const arrangements: readonly (readonly [what: string, arrange: () => unknown, why: string])[] = [
    ['there is no socket', () => undefined, 'No such file or directory'],
    ['nobody listens on the socket', () => bench.write('socket', ''), 'Connection refused'],
    ['the socket is a folder', () => mkdirSync(bench.socket, { recursive: true }), 'Connection refused'],
  ];
  it.each(arrangements)('when %s it denies with one line that says what to do', async (_, arrange, why) => {
    arrange();
    const result = await bench.run({ unreachable: 'deny' });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(
      new RegExp(
        `^hookvisor: the runtime at ${bench.socket} cannot be reached \\(${why}\\); start it, or see .*/policy-\\d+\\n$`,
      ),
    );
  });

  it('a path too long for a socket is a runtime that cannot be reached', async () => {
    const result = await bench.run({ socket: `/tmp/${'s'.repeat(200)}`, unreachable: 'deny' });
    expect(result).toMatchObject({ status: 1 });
    // The C libraries word it differently.
    expect(result.stderr).toMatch(/cannot be reached \(File ?name too long\)/u);
  });

  it('control characters never reach the terminal', async () => {
    const result = await bench.run({ socket: '/tmp/\u001b[31mred\nline\u009b', unreachable: 'deny' });
    expect(result.stderr).toMatch(/^hookvisor: the runtime at \/tmp\/\?\[31mred\?line\?+ cannot be reached/);
    expect(result.stderr.split('\n')).toHaveLength(2);
  });

  it('a runtime killed between request and answer is one that cannot be reached', async () => {
    const program = `require('node:net').createServer((c) => c.once('data', () => process.kill(process.pid, 'SIGKILL')))
      .listen(process.argv[1], () => console.log('ready'))`;
    const runtime = spawn(process.execPath, ['-e', program, bench.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(runtime);
    await new Promise((resolve) => runtime.stdout.once('data', resolve));
    const result = await bench.run({ unreachable: 'deny' });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(
      /cannot be reached \((it closed the connection without an answer|Connection reset by peer)\)/,
    );
  });

  it('a runtime that hangs up while a large document is being sent is one that cannot be reached', async () => {
    const impatient = spawn(
      process.execPath,
      [
        '-e',
        `require('node:net').createServer((c) => c.once('data', () => c.destroy()))
          .listen(process.argv[1], () => console.log('ready'))`,
        bench.socket,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    children.push(impatient);
    await new Promise((resolve) => impatient.stdout.once('data', resolve));
    const result = await bench.run({ stdin: Buffer.alloc(8 * 1024 * 1024, 32), unreachable: 'deny' });
    expect(result).toMatchObject({ status: 1, signal: null });
    expect(result.stderr).toMatch(/cannot be reached \((Broken pipe|Connection reset by peer)\)/);
  });

  it('a stdin that never ends is given up at the deadline', async () => {
    server = await startHookServer(bench.socket, silent);
    const result = await bench.run({ stdin: 'open', unreachable: `script ${noted}\ndeadline 0.2` });
    expect(result.status).toBe(1); // no script without the whole document
    expect(result.stdout.toString()).toBe('');
    expect(result.stderr).toContain('(the document on stdin did not end in time)');
    expect(result.ms).toBeLessThan(3_000);
  });

  it('a document of more than 64 MiB is not sent', async () => {
    const result = await bench.run({ stdin: Buffer.alloc(65 * 1024 * 1024, 32), unreachable: 'deny' });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('(the document is larger than 64 MiB)');
  });

  describe('for every operation of the catalog', () => {
    const rows = catalog.map((row) => ({ ...row, aborts: row.effect === 'aborts' }));

    it.each([
      ['deny', 1, 0],
      ['allow', 0, 0],
      [`script ${noted}`, 5, 0],
    ])('policy %s exits %i where a denial aborts and %i elsewhere', async (policy, whereAborts, elsewhere) => {
      expect(rows.length).toBeGreaterThan(30);
      await inParallel(rows, 3, async ({ driver, event, qualifier, aborts }) => {
        const { status } = await bench.run({ hook: driver, args: ['o', event, qualifier, '-'], unreachable: policy });
        expect([driver, event, qualifier, status]).toEqual([
          driver,
          event,
          qualifier,
          aborts ? whereAborts : elsewhere,
        ]);
      });
    });
  });

  it.each([
    [['foo', 'start', 'before'], 1],
    [['foo', 'newer', 'begin', '-'], 1],
    [['foo', 'newer', 'end', '-'], 0],
    [['foo', 'start'], 0],
    [[], 0],
  ])('an operation that the catalog does not know, %j, exits %i', async (args, status) => {
    expect(await bench.run({ args, unreachable: 'deny' })).toMatchObject({ status });
  });

  it('a policy that does not exist denies and says why', async () => {
    const result = await bench.run({ unreachable: null });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('(which cannot be read: it does not exist)\n');
  });

  it('a policy that is a FIFO denies at once', async () => {
    execFileSync('mkfifo', [join(bench.folder, 'none')]);
    const result = await bench.run({});
    rmSync(join(bench.folder, 'none'));
    expect(result.stderr).toContain('(which does not say deny, allow or script)\n');
    expect(result.status).toBe(1);
  });

  it('a policy that is a folder denies and says why', async () => {
    mkdirSync(join(bench.folder, 'none'));
    const result = await bench.run({});
    rmSync(join(bench.folder, 'none'), { recursive: true });
    expect(result.stderr).toContain('(which cannot be read: Is a directory)');
    expect(result.status).toBe(1);
  });
});
