import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { loadPlugin, readCases, runCases } from '../../src/testing/index.js';
import { samplePlugin } from '../support/runtime.js';
import { temporaryFolder, write, writeScript } from '../support/temp.js';

const run = promisify(execFile);
const small = '<domain><memory unit="MiB">512</memory></domain>';

describe('loadPlugin', () => {
  it('loads a component and tells outcome, reason, fuel and logs', async () => {
    await using plugin = await loadPlugin({ file: samplePlugin('naming'), settings: { pattern: '^web' } });
    expect(plugin.backend).toBe('component');
    expect(plugin.digest).toMatch(/^[0-9a-f]{64}$/u);
    const result = await plugin.handle({ argv: ['db', 'prepare', 'begin', '-'], driver: 'qemu' });
    expect(result).toMatchObject({ outcome: 'deny', failure: null, document: null, logs: [] });
    expect(result.reason).toBe('the name "db" does not match ^web; rename the domain');
    const again = await plugin.handle({ kind: 'domain', name: 'db', event: 'prepare', qualifier: 'begin' });
    expect(again.fuel).toBe(result.fuel);
  }, 60_000);

  it('loads an Extism plugin with its limits', async () => {
    await using plugin = await loadPlugin({
      file: samplePlugin('quota'),
      settings: { maxMemoryMiB: 256 },
      limits: { fuel: 8_000 },
    });
    const result = await plugin.handle({ argv: ['web', 'prepare', 'begin', '-'], document: small });
    expect(result).toMatchObject({ outcome: null, failure: 'out-of-fuel' });
  }, 60_000);

  it('loads a script, whose replacement must be one that libvirt takes', async () => {
    const script = await writeScript(temporaryFolder(), 'rewrite', 'sed s/512/256/');
    await using plugin = await loadPlugin({ file: script });
    const restore = await plugin.handle({ argv: ['web', 'restore', 'begin', '-'], document: small });
    expect(restore).toMatchObject({ outcome: 'replace', document: small.replace('512', '256'), fuel: null });
    const other = await writeScript(temporaryFolder(), 'other', 'echo "<network/>"');
    await using broken = await loadPlugin({ file: other });
    const result = await broken.handle({ argv: ['web', 'restore', 'begin', '-'], document: small });
    expect(result).toMatchObject({ outcome: null, failure: 'bad-replacement' });
  });

  it('throws what the runtime would', async () => {
    await expect(loadPlugin({ file: samplePlugin('naming'), settings: { pattern: '(' } })).rejects.toMatchObject({
      code: 'plugin-settings',
    });
    await expect(loadPlugin({ file: '/none/x.wasm' })).rejects.toMatchObject({
      code: 'plugin-unreadable',
      message: "Cannot read the plug-in '/none/x.wasm': there is no such file; build it with 'hookvisor build'",
    });
    const text = await write(temporaryFolder(), 'text.wasm', 'text');
    await expect(loadPlugin({ file: text })).rejects.toMatchObject({ code: 'plugin-invalid' });
  }, 60_000);

  it('works from node:test', async () => {
    const file = await write(
      temporaryFolder(),
      'naming.test.mjs',
      `import { test } from 'node:test';
import assert from 'node:assert/strict';
import { loadPlugin } from ${JSON.stringify(join(packageRoot, 'dist/testing/index.js'))};
test('a name is denied', async () => {
  const plugin = await loadPlugin({ file: ${JSON.stringify(samplePlugin('naming'))} });
  try {
    const { outcome } = await plugin.handle({ argv: ['Web 1', 'start', 'begin', '-'], driver: 'qemu' });
    assert.equal(outcome, 'deny');
  } finally {
    await plugin[Symbol.asyncDispose]();
  }
});
`,
    );
    // What vitest says of itself would make the inner runner report to it.
    const inherited = ['NODE_TEST_CONTEXT', 'NODE_OPTIONS'];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.includes(name)));
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', file], { env });
    expect(stdout).toMatch(/^# pass 1$/mu);
  }, 60_000);
});

describe('the cases of the sample plugins', () => {
  it.each(['naming', 'quota', 'tiny-allow'] as const)(
    '%s holds them',
    async (name) => {
      const { cases } = await readCases(join(packageRoot, 'plugins', name, 'cases.yaml'));
      const results = await runCases(cases, { file: samplePlugin(name) });
      const failed = results.filter(({ differences }) => differences.length > 0);
      expect(failed.map(({ case: one, differences }) => ({ name: one.name, differences }))).toEqual([]);
      expect(results.length).toBe(cases.length);
    },
    60_000,
  );
});
