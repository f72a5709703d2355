import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hookvisor } from '../support/command.js';
import { serve, type TestRuntime } from '../support/runtime.js';
import { temporaryFolder } from '../support/temp.js';
import { writePlugin } from '../support/tiny-plugins.js';

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

interface Stage extends TestRuntime {
  /** What libvirt is told about one start. */
  readonly ask: () => Promise<string>;
  readonly plugin: (answer: Parameters<typeof writePlugin>[1]) => Promise<string>;
  readonly promotion: (to: string) => { handler: string; from: string; to: string };
}

/** A runtime with the handlers `h` and `other`, which allow everything. */
async function stage(fieldsOfH = ''): Promise<Stage> {
  const dir = temporaryFolder();
  const h = await writePlugin(dir, 'allow', 'h.wasm');
  await writePlugin(dir, 'allow', 'other.wasm');
  const from = sha256(h);
  const runtime = await serve(
    `handlers:
  h: { backend: extism, source: h.wasm, failurePolicy: fail${fieldsOfH.replace('DIGEST', from)} }
  other: { backend: extism, source: other.wasm, failurePolicy: fail }
routes: [ { match: {}, handlers: [h, other] } ]`,
    dir,
  );
  return {
    ...runtime,
    ask: async () => {
      const call = { driver: 'qemu', args: ['web', 'start', 'begin', '-'], document: null };
      return (await runtime.runtime.hook(call)).verdict.answered;
    },
    plugin: (answer) => writePlugin(dir, answer),
    promotion: (to) => ({ handler: 'h', from, to: sha256(to) }),
  };
}

describe('hookvisor promote', { timeout: 90_000 }, () => {
  it('replays, swaps the plugin in the runtime, and a reload gives the same', async () => {
    const { dir, configFile, runtime, ask, plugin } = await stage();
    expect(await ask()).toBe('allow');
    const before = readFileSync(join(dir, 'h.wasm'));
    const run = await hookvisor('promote', 'h', await plugin('deny'), '--config', configFile, '--yes');
    expect(run.status).toBe(0);
    expect(run.out).toContain('same 0  flips 1  new failures 0');
    expect(run.out).toMatch(/^promoted: 'h' now runs sha256 [0-9a-f]{64}$/mu);
    expect(await ask()).toBe('deny');
    await runtime.reload();
    expect(await ask()).toBe('deny');
    expect(readFileSync(join(dir, 'h.wasm.previous'))).toEqual(before);
  });

  it('of a pinned plugin changes the pin in the configuration, and nothing else there', async () => {
    const { dir, configFile, runtime, ask, plugin } = await stage(', sha256: DIGEST');
    const text = readFileSync(configFile, 'utf8');
    const file = await plugin('deny');
    expect(await hookvisor('promote', 'h', file, '--config', configFile, '--yes')).toMatchObject({ status: 0 });
    const [old, next] = [sha256(join(dir, 'h.wasm')), sha256(file)];
    const name = `h-${next.slice(0, 12)}.wasm`;
    expect(readFileSync(configFile, 'utf8')).toBe(
      text.replace('source: h.wasm', `source: '${name}'`).replace(old, `'${next}'`),
    );
    expect(existsSync(join(dir, name))).toBe(true);
    await runtime.reload();
    expect(await ask()).toBe('deny');
  });

  it('refuses a plugin over the size that its handler allows, and changes nothing', async () => {
    const { configFile, ask, plugin } = await stage(', pluginSize: 1KiB');
    const file = await plugin('deny');
    truncateSync(file, 1025);
    const run = await hookvisor('promote', 'h', file, '--config', configFile, '--yes');
    expect(run.status).toBe(2);
    expect(run.err).toContain(
      `Cannot promote '${file}' as 'h': it has 1025 bytes; at most 1024 are allowed; raise 'pluginSize'`,
    );
    expect(await ask()).toBe('allow');
  });

  it('stops at a flip when asked to, and changes nothing', async () => {
    const { dir, configFile, ask, plugin } = await stage();
    await ask();
    const before = sha256(join(dir, 'h.wasm'));
    const run = await hookvisor(
      'promote',
      'h',
      await plugin('deny'),
      '--config',
      configFile,
      '--yes',
      '--fail-on-flip',
    );
    expect(run).toMatchObject({ status: 1 });
    expect(run.err).toContain('not promoted');
    expect(sha256(join(dir, 'h.wasm'))).toBe(before);
    expect(await ask()).toBe('allow');
  });

  it('does not go on without a terminal or --yes', async () => {
    const { configFile, ask, plugin } = await stage();
    const run = await hookvisor('promote', 'h', await plugin('deny'), '--config', configFile);
    expect(run).toMatchObject({ status: 2 });
    expect(run.err).toContain('not a terminal; pass --yes');
    expect(await ask()).toBe('allow');
  });

  it('puts the files back when the runtime refuses, here since another plugin has changed as well', async () => {
    const { dir, configFile, ask, plugin } = await stage();
    const before = sha256(join(dir, 'h.wasm'));
    const file = await plugin('deny');
    copyFileSync(file, join(dir, 'other.wasm'));
    const run = await hookvisor('promote', 'h', file, '--config', configFile, '--yes');
    expect(run.status).toBe(2);
    expect(run.err).toContain('handlers.other:');
    expect(sha256(join(dir, 'h.wasm'))).toBe(before);
    expect(await ask()).toBe('allow');
  });
});

describe('a promotion is refused', { timeout: 60_000 }, () => {
  it('when another plugin is in force than the one it was compared with', async () => {
    const { runtime, plugin, promotion } = await stage();
    const stale = { ...promotion(await plugin('deny')), from: 'a'.repeat(64) };
    await expect(runtime.promotions.promote(stale)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('is not the one that was compared') as string,
    });
  });

  it('when the handler is not there', async () => {
    const { runtime, plugin, promotion } = await stage();
    const missing = { ...promotion(await plugin('deny')), handler: 'x' };
    await expect(runtime.promotions.promote(missing)).rejects.toThrow('the runtime has no such handler');
  });
});

describe('a trial', { timeout: 60_000 }, () => {
  it('asks the new plugin beside the old one, in monitor, and counts what it says otherwise', async () => {
    const { runtime, ask, plugin, promotion, journaled } = await stage();
    const file = await plugin('deny');
    await runtime.promotions.begin({ ...promotion(file), file, durationMs: 60_000 });
    expect(await ask()).toBe('allow');
    expect(runtime.status().trial).toMatchObject({ state: 'running', compared: 1, flips: 1, newFailures: 0 });
    const asked = journaled()[0]?.handlers.map(({ handler, mode, outcome }) => [handler, mode, outcome]);
    expect(asked).toEqual([
      ['h.next', 'monitor', 'deny'],
      ['h', 'enforce', 'allow'],
      ['other', 'enforce', 'allow'],
    ]);
    await runtime.promotions.cancel();
    expect(runtime.status().trial).toMatchObject({ state: 'cancelled' });
    expect(runtime.status().handlers.map(({ handler }) => handler)).toEqual(['h', 'other']);
  });

  it('ends by itself when its time is over', async () => {
    const { runtime, plugin, promotion } = await stage();
    const file = await plugin('allow-too');
    await runtime.promotions.begin({ ...promotion(file), file, durationMs: 50 });
    await expect.poll(() => runtime.status().trial?.state, { timeout: 30_000 }).toBe('done');
    expect(runtime.status().handlers.map(({ handler }) => handler)).toEqual(['h', 'other']);
  });

  it('ends with a reload, and there is one at a time', async () => {
    const { runtime, plugin, promotion } = await stage();
    const file = await plugin('allow-too');
    const request = { ...promotion(file), file, durationMs: 60_000 };
    await runtime.promotions.begin(request);
    await expect(runtime.promotions.begin(request)).rejects.toThrow("one of 'h' is running");
    await runtime.reload();
    expect(runtime.status().trial).toMatchObject({ state: 'reloaded' });
    await expect(runtime.promotions.cancel()).rejects.toThrow('none is running');
  });
});
