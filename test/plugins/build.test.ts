import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { componentWit, print } from '@bytecodealliance/jco';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { instantiator } from './instantiate.js';

const run = promisify(execFile);
const built = (name: string): Buffer => readFileSync(join(packageRoot, 'plugins', name, 'build', `${name}.wasm`));

function imports(wit: string): string[] {
  return [...wit.matchAll(/^ {2}import (\S+);$/gmu)].map(([, name]) => name ?? '');
}

describe('the sample plugins as built', () => {
  it('naming imports what its world offers and nothing else', async () => {
    const wit = await componentWit(built('naming'));
    expect(imports(wit).sort()).toEqual([
      'hookvisor:hook/document@0.1.0',
      'hookvisor:hook/log@0.1.0',
      'hookvisor:hook/settings@0.1.0',
      'hookvisor:hook/types@0.1.0',
    ]);
    expect(wit).toContain('export hookvisor:hook/handler@0.1.0;');
    expect(wit).toContain('export hookvisor:hook/configurable@0.1.0;');
    expect(wit).not.toContain('wasi:');
  });

  it('tiny-allow imports types only, and is below one kilobyte', async () => {
    expect(imports(await componentWit(built('tiny-allow')))).toEqual(['hookvisor:hook/types@0.1.0']);
    expect(built('tiny-allow').length).toBeLessThan(1024);
    expect(await print(built('tiny-allow'))).not.toContain('@producers');
  });

  it('tiny-allow allows an event of any size', async () => {
    const { handler } = (await instantiator('tiny-allow'))({ settings: '{}', select: () => [] });
    const event = { id: 'e', time: 1n, kind: 'domain', event: 'start', qualifier: 'begin', driver: 'qemu' };
    for (const size of [0, 1, 65_519, 65_520, 65_521, 300_000]) {
      expect(handler.handle({ ...event, name: 'x'.repeat(size) })).toEqual({ tag: 'allow' });
    }
  });

  it("quota imports functions of Extism's kernel only", () => {
    const module = new WebAssembly.Module(Uint8Array.from(built('quota')));
    const names = WebAssembly.Module.imports(module);
    expect(new Set(names.map((one) => one.module))).toEqual(new Set(['extism:host/env']));
    expect(names.map((one) => one.name)).not.toContain('http_request');
    expect(WebAssembly.Module.exports(module).map((one) => one.name)).toEqual(['handle', 'validate', 'memory']);
  });
});

describe('build-plugins', () => {
  const script = join(packageRoot, 'scripts/build-plugins.mjs');

  it('builds nothing when nothing changed', async () => {
    await run(process.execPath, [script]);
    const { stdout } = await run(process.execPath, [script]);
    const lines = stdout.trim().split('\n');
    // Where clang is not installed its plugin is left out, and that is said.
    const absent = "maintenance-window: left out. Cannot build '";
    expect(lines.filter((line) => !line.endsWith(': unchanged') && !line.startsWith(absent))).toEqual([]);
    expect(lines).toHaveLength(8);
  }, 60_000);

  it('leaves out what needs a compiler that is not there, and says which', async () => {
    const env = { ...process.env, CLANG: '/nonexistent/clang' };
    const file = join(packageRoot, 'plugins/maintenance-window/build/maintenance-window.wasm');
    const before = await readFile(file).catch(() => null);
    const { stdout } = await run(process.execPath, [script, '--force', 'maintenance-window'], { env });
    expect(stdout).toMatch(
      /^maintenance-window: left out\. Cannot build '.*': '\/nonexistent\/clang' is not installed; install clang and lld/u,
    );
    if (before !== null) expect((await readFile(file)).equals(before)).toBe(true);
  });

  it('gives the same bytes every time', async () => {
    const before = built('tiny-allow');
    const { stdout } = await run(process.execPath, [script, '--force', 'tiny-allow']);
    expect(stdout).toMatch(/^tiny-allow: plugins\/tiny-allow\/build\/tiny-allow\.wasm, \d+ bytes, /u);
    expect(built('tiny-allow').equals(before)).toBe(true);
  });

  it('knows what it can build', async () => {
    await expect(run(process.execPath, [script, 'nothing'])).rejects.toMatchObject({
      code: 2,
      stderr:
        "Cannot build 'nothing': expected device-guard, maintenance-window, migration-rewrite, naming, " +
        'network-guard, quota, required-metadata, tiny-allow or --force\n',
    });
  });
});
