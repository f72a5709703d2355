import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bounds } from '../../src/contract/limits.js';
import {
  endless,
  errorOf,
  handlerConfig,
  hookCall,
  isAlive,
  openSandbox,
  runnerPid,
  samplePlugin,
} from '../support/sandbox.js';

const naming = { name: 'naming', source: samplePlugin('naming') };

describe('evaluate', () => {
  it('gives the decision of a component', async () => {
    await using opened = await openSandbox();
    const handler = await opened.sandbox.backend('component').load(handlerConfig(naming));
    const allowed = await handler.evaluate(hookCall('good'));
    expect(allowed.outcome).toEqual({ outcome: 'allow' });
    expect(allowed.fuel).toBeGreaterThan(0);
    expect((await handler.evaluate(hookCall('Bad'))).outcome).toMatchObject({ outcome: 'deny' });
  });

  it('gives the decision of an Extism plugin', async () => {
    await using opened = await openSandbox();
    const quota = { name: 'quota', backend: 'extism', source: samplePlugin('quota') } as const;
    const settings = { maxMemoryMiB: 1_024 };
    const handler = await opened.sandbox.backend('extism').load(handlerConfig({ ...quota, settings }));
    const domain = (gib: number): Buffer => Buffer.from(`<domain><memory unit='GiB'>${gib}</memory></domain>`);
    expect((await handler.evaluate(hookCall('small', domain(1)))).outcome).toEqual({ outcome: 'allow' });
    expect((await handler.evaluate(hookCall('large', domain(2)))).outcome).toMatchObject({ outcome: 'deny' });
  });

  it('answers 50 concurrent events each with its own decision', async () => {
    await using opened = await openSandbox();
    const handler = await opened.sandbox.backend('component').load(handlerConfig(naming));
    const names = Array.from({ length: 50 }, (_, at) => `${at % 3 === 0 ? 'B' : 'b'}ox-${at}`);
    const answers = await Promise.all(names.map((name) => handler.evaluate(hookCall(name))));
    for (const [at, { outcome }] of answers.entries()) {
      if (at % 3 !== 0) expect(outcome).toEqual({ outcome: 'allow' });
      else expect(outcome).toMatchObject({ outcome: 'deny', reason: expect.stringContaining(`Box-${at}`) as string });
    }
  });

  it('refuses a document that is too large or not UTF-8 before it is sent', async () => {
    await using opened = await openSandbox();
    const handler = await opened.sandbox.backend('component').load(handlerConfig());
    const large = await errorOf(handler.evaluate(hookCall('vm', Buffer.alloc(bounds.documentBytes + 1, 'x'))));
    expect(large).toMatchObject({ failure: 'document' });
    expect(large.message).toMatch(/^Cannot decide with handler 'plugin': the document has 16777217 bytes/u);
    const binary = await errorOf(handler.evaluate(hookCall('vm', Buffer.from([0x3c, 0xff]))));
    expect(binary).toMatchObject({ failure: 'document' });
    expect(binary.message).toMatch(/is not valid UTF-8/u);
  });
});

describe('load', () => {
  it('says what is wrong with the file', async () => {
    await using opened = await openSandbox();
    const load = (source: string) => errorOf(opened.sandbox.backend('component').load(handlerConfig({ source })));
    const missing = await load('/nowhere/plugin.wasm');
    expect(missing.code).toBe('plugin-unreadable');
    expect(missing.message).toBe(
      "Cannot read the plug-in '/nowhere/plugin.wasm' of handler 'plugin': there is no such file; build it, or correct 'source'",
    );
    expect((await load(opened.folder)).message).toMatch(/it is a folder; specify the \.wasm file in 'source'$/u);
    expect((await load('/dev/null')).message).toMatch(/it is not a regular file/u);
    expect(opened.sandbox.status().runners).toEqual([]);
  });

  it('takes only the pinned bytes', async () => {
    await using opened = await openSandbox();
    const digest = createHash('sha256')
      .update(await readFile(samplePlugin('tiny-allow')))
      .digest('hex');
    const backend = opened.sandbox.backend('component');
    expect((await backend.load(handlerConfig({ sha256: digest }))).digest).toBe(digest);
    const pinned = '0'.repeat(64);
    const error = await errorOf(backend.load(handlerConfig({ sha256: pinned })));
    expect(error.code).toBe('plugin-digest');
    expect(error.message).toContain(`has sha256 ${digest}, the configuration pins ${pinned}`);
  });

  it('is refused when the plugin objects to its settings', async () => {
    await using opened = await openSandbox();
    const settings = { pattern: '(' };
    const error = await errorOf(opened.sandbox.backend('component').load(handlerConfig({ ...naming, settings })));
    expect(error.code).toBe('plugin-settings');
    expect(error.message).toMatch(
      /^Cannot load handler 'naming': the plug-in rejects its settings: \S.*; correct .settings.$/u,
    );
    expect(opened.sandbox.status().runners).toEqual([]);
  });

  it('gives the error of admission across the border of the process', async () => {
    await using opened = await openSandbox();
    const source = join(opened.folder, 'garbage.wasm');
    await writeFile(source, 'not WebAssembly at all');
    const error = await errorOf(opened.sandbox.backend('component').load(handlerConfig({ source })));
    expect(['plugin-refused', 'plugin-invalid']).toContain(error.code);
    expect(error.message).toMatch(/^Cannot /u);
    expect(opened.sandbox.status().admissions).toBe(0);
  });

  it('shares one admission between loads of the same plugin', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, opened.sandbox.status().admissions)), 1);
    await Promise.all([backend.load(handlerConfig()), backend.load(handlerConfig({ name: 'twin', trust: 'b' }))]);
    clearInterval(watch);
    expect(most).toBe(1);
  });
});

describe('trust groups', () => {
  it('have a process each, shared by the handlers of the group', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    await backend.load(handlerConfig({ name: 'one', trust: 'a' }));
    await backend.load(handlerConfig({ name: 'two', trust: 'b' }));
    await backend.load(handlerConfig({ name: 'three', trust: 'a' }));
    const { runners, isolation } = opened.sandbox.status();
    expect(runners.map(({ trust, handlers }) => [trust, handlers])).toEqual([
      ['a', ['one', 'three']],
      ['b', ['two']],
    ]);
    expect(runnerPid(opened.sandbox, 0)).not.toBe(runnerPid(opened.sandbox, 1));
    expect(isolation.protections).toEqual(expect.arrayContaining(['empty-environment', 'node-permissions']));
  });
});

describe('disposal', () => {
  it('lets evaluations finish, then leaves no process', async () => {
    await using opened = await openSandbox();
    const handler = await opened.sandbox.backend('component').load(handlerConfig(naming));
    const pid = runnerPid(opened.sandbox);
    const answers = ['a', 'b', 'c'].map((name) => handler.evaluate(hookCall(name)));
    await opened.sandbox[Symbol.asyncDispose]();
    expect((await Promise.all(answers)).map(({ outcome }) => outcome.outcome)).toEqual(['allow', 'allow', 'allow']);
    expect(isAlive(pid)).toBe(false);
    expect(opened.sandbox.status().runners).toEqual([]);
    await opened.sandbox[Symbol.asyncDispose]();
    expect(await errorOf(handler.evaluate(hookCall()))).toMatchObject({ failure: 'unavailable' });
    expect((await errorOf(opened.sandbox.backend('component').load(handlerConfig()))).code).toBe('closed');
  });

  it('of the last handler of a group ends its runner, of another one does not', async () => {
    await using opened = await openSandbox();
    const backend = opened.sandbox.backend('component');
    const first = await backend.load(handlerConfig({ name: 'first' }));
    const second = await backend.load(handlerConfig({ name: 'second' }));
    const pid = runnerPid(opened.sandbox);
    await first[Symbol.asyncDispose]();
    expect(opened.sandbox.status().runners[0]?.handlers).toEqual(['second']);
    expect((await second.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
    await second[Symbol.asyncDispose]();
    expect(isAlive(pid)).toBe(false);
  });

  it('waits for a handler that never answers until its deadline', async () => {
    await using opened = await openSandbox();
    const spin = await opened.fixture('spin');
    const handler = await opened.sandbox.backend('component').load(handlerConfig(endless(spin, 200)));
    const pid = runnerPid(opened.sandbox);
    const failure = errorOf(handler.evaluate(hookCall()));
    await opened.sandbox[Symbol.asyncDispose]();
    expect(await failure).toMatchObject({ failure: 'deadline' });
    expect(isAlive(pid)).toBe(false);
  });
});

it('a cache that cannot be written is logged and costs nothing else', async () => {
  await using opened = await openSandbox();
  await writeFile(opened.cache, 'a file in the place of the folder');
  const handler = await opened.sandbox.backend('component').load(handlerConfig());
  expect((await handler.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
  expect(opened.logged.join('\n')).toMatch(/Cannot cache an admitted plug-in in '.*cache'/u);
});
