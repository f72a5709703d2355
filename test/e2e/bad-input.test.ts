import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { verdictSchema } from '../../src/contract/verdict.js';
import { packageRoot } from '../../src/shared/paths.js';
import { hookCaller } from '../support/client.js';
import { samplePlugin, serve, type TestRuntime, writeConfig } from '../support/runtime.js';
import { temporaryFolder, write, writeScript } from '../support/temp.js';

const plugins = `
handlers:
  naming: { backend: component, source: ${samplePlugin('naming')}, settings: { pattern: '^[A-Z]+$' }, failurePolicy: fail }
  quota: { backend: extism, source: ${samplePlugin('quota')}, settings: { maxMemoryMiB: 64, maxVcpus: 2 }, failurePolicy: fail }
`;

const lastRecord = ({ journaled }: TestRuntime): ReturnType<typeof verdictSchema.parse> =>
  verdictSchema.parse(journaled().at(-1));

describe('a hostile name', () => {
  const names = ['-rf', '--help', '../x', 'a b;rm', 'line\nbreak', '$(reboot)', '\u001b[2J', 'x'.repeat(4_096), '☃'];

  it.each(names.map((name) => [JSON.stringify(name).slice(0, 20), name]))(
    'such as %s reaches scripts as one argument, plugins as text, and the user as one clean line',
    async (_, name) => {
      const dir = temporaryFolder();
      const show = await writeScript(dir, 'show', `printf '%s|' "$@" > ${dir}/seen`);
      const test = await serve(
        `${plugins}  show: { backend: script, source: ${show}, failurePolicy: fail }
routes: [ { match: { event: prepare }, handlers: [naming] }, { match: { event: start }, handlers: [show] } ]`,
        dir,
      );
      const call = hookCaller(dir, test.socket);
      expect((await call('qemu', [name, 'start', 'begin', '-'])).status).toBe(0);
      expect(readFileSync(join(dir, 'seen'), 'utf8')).toBe(`${name}|start|begin|-|`);
      const denied = await call('qemu', [name, 'prepare', 'begin', '-']);
      expect(denied.status).toBe(1);
      expect(denied.stderr).toMatch(/^naming: [^\p{Cc}]*\n$/u);
      expect(denied.stderr.length).toBeLessThan(1_200);
      expect(lastRecord(test).event.name).toBe(name);
    },
  );
});

describe('a document', () => {
  const documents: readonly [string, Buffer, string, string][] = [
    ['that is not XML', Buffer.from('hello'), 'deny', 'not-xml'],
    [
      'that declares entities',
      Buffer.from('<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><domain><memory>&a;</memory></domain>'),
      'deny',
      '',
    ],
    [
      'that declares UTF-7, which libvirt would obey',
      Buffer.from('<?xml version="1.0" encoding="UTF-7"?><domain>+ADw-hostdev/+AD4-</domain>'),
      'deny',
      "declares the encoding 'UTF-7'",
    ],
    ['that is not UTF-8', Buffer.from([0x3c, 0x61, 0xff, 0xfe, 0x3e]), 'deny', 'UTF-8'],
    [
      'of 20 MB',
      Buffer.concat([Buffer.from('<domain>'), Buffer.alloc(20_000_000, ' '), Buffer.from('</domain>')]),
      'deny',
      '20000017',
    ],
  ];

  it.each(documents)(
    '%s is answered with a clear word, and the next event goes on',
    async (_, document, verdict, word) => {
      const dir = temporaryFolder();
      const test = await serve(`${plugins}routes: [ { match: {}, handlers: [quota] } ]`, dir);
      const call = hookCaller(dir, test.socket);
      const run = await call('qemu', ['tiny', 'prepare', 'begin', '-'], document);
      const record = lastRecord(test);
      expect(record.verdict).toBe(verdict);
      expect(run.status).toBe(1);
      expect(run.stderr).toMatch(/^quota: .{10,}\n$/);
      expect(run.stderr).toContain(word === 'not-xml' ? 'quota' : word);
      expect(run.stderr).not.toContain('root:');
      expect((await call('qemu', ['tiny', 'stopped', 'end', '-'])).status).toBe(0);
    },
  );

  it('that a script replaced, in UTF-7, reaches neither the next handler nor libvirt', async () => {
    const dir = temporaryFolder();
    const hidden = '<domain><name>tiny</name>+ADw-hostdev/+AD4-</domain>';
    const hide = await writeScript(dir, 'hide', `echo '<?xml version="1.0" encoding="UTF-7"?>${hidden}'`);
    const guard = await writeScript(dir, 'guard', `cat > ${dir}/seen`);
    const test = await serve(
      `handlers:
  hide: { backend: script, source: ${hide}, failurePolicy: ignore }
  guard: { backend: script, source: ${guard}, failurePolicy: fail }
routes: [ { match: {}, handlers: [hide, guard] } ]`,
      dir,
    );
    const document = '<domain><name>tiny</name></domain>';
    const run = await hookCaller(dir, test.socket)('qemu', ['tiny', 'migrate', 'begin', '-'], Buffer.from(document));
    expect(run).toMatchObject({ status: 0, stdout: Buffer.alloc(0) });
    expect(readFileSync(join(dir, 'seen'), 'utf8')).toBe(document);
    expect(lastRecord(test).handlers[0]).toMatchObject({
      failure: 'bad-replacement',
      reason: expect.stringContaining("it declares the encoding 'UTF-7'; write XML 1.0 in UTF-8") as string,
    });
  });

  it('of 20 MB reaches a script byte for byte', async () => {
    const dir = temporaryFolder();
    const count = await writeScript(dir, 'count', `cat > ${dir}/seen`);
    const { socket } = await serve(`events_script: ${count}`, dir);
    const document = Buffer.alloc(20_000_000, 'x');
    const run = await hookCaller(dir, socket)('qemu', ['tiny', 'prepare', 'begin', '-'], document);
    expect(run.status).toBe(0);
    expect(readFileSync(join(dir, 'seen')).equals(document)).toBe(true);
  });
});

describe('a plugin file', () => {
  const tiny = readFileSync(samplePlugin('tiny-allow'));
  const quota = readFileSync(samplePlugin('quota'));
  const files: readonly [string, 'component' | 'extism', Buffer | null, RegExp][] = [
    ['that is missing', 'component', null, /no such file/i],
    ['that is truncated', 'component', tiny.subarray(0, tiny.length - 20), /handlers\.bad: Cannot/],
    ['that is not wasm', 'component', Buffer.from('#!/bin/sh\n'), /not (a )?WebAssembly|not wasm/i],
    ['that is empty', 'extism', Buffer.alloc(0), /handlers\.bad: Cannot/],
    ['that is a core module where a component is expected', 'component', quota, /core module.*backend: extism/s],
    ['that is a component where a core module is expected', 'extism', tiny, /component.*backend: component/s],
  ];

  it.each(files)('%s is refused at start with a clear word', async (_, backend, bytes, message) => {
    const dir = temporaryFolder();
    if (bytes !== null) await write(dir, 'bad.wasm', bytes);
    await expect(
      serve(`handlers: { bad: { backend: ${backend}, source: bad.wasm, failurePolicy: fail } }`, dir),
    ).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringMatching(message) as string });
  });
});

describe('the runtime killed between request and answer', () => {
  it('leaves the client to its policy, and no handler running', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'slow', 'sleep 5.4321');
    const config = await writeConfig(
      dir,
      `${plugins}  slow: { backend: script, source: ${script}, deadline: 20s, failurePolicy: fail }
routes: [ { match: {}, handlers: [naming, slow] } ]`,
    );
    const runtime = spawn(process.execPath, [join(packageRoot, 'dist/commands/main.js'), 'serve', '--config', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    onTestFinished(() => {
      runtime.kill('SIGKILL');
    });
    let said = '';
    runtime.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said, { timeout: 15_000 }).toContain('listening on');
    const runners = execFileSync('pgrep', ['-P', String(runtime.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const running = hookCaller(dir, join(dir, 'hv.sock'))('qemu', ['TINY', 'start', 'begin', '-']);
    await sleep(500);
    const exited = once(runtime, 'exit');
    runtime.kill('SIGKILL');
    await exited;
    const run = await running;
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/^hookvisor: .*\n$/);
    expect(runners.length).toBeGreaterThan(0);
    await expect.poll(() => runners.filter((pid) => processRuns(Number(pid))), { timeout: 5_000 }).toEqual([]);
  });
});

function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
