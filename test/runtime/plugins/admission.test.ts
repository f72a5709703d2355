import { readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/shared/paths.js';
import { createSandbox } from '../../../src/runtime/sandbox.js';
import { handlerConfig, hookCall, openSandbox } from '../../support/sandbox.js';

/** Loads the plugin in a sandbox of its own and gives the most admissions that were seen. */
async function admissionsOfLoad(cache: string): Promise<number> {
  await using sandbox = createSandbox({ cache, log: () => undefined });
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, sandbox.status().admissions)), 1);
  const handler = await sandbox.backend('component').load(handlerConfig());
  clearInterval(watch);
  expect((await handler.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
  return most;
}

describe('admission', () => {
  it('happens once, and not again while the cache is whole', async () => {
    await using opened = await openSandbox();
    expect(await admissionsOfLoad(opened.cache)).toBe(1);
    expect(await admissionsOfLoad(opened.cache)).toBe(0);
    const path = join(opened.cache, (await readdir(opened.cache))[0] ?? '');
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, 100));
    expect(await admissionsOfLoad(opened.cache)).toBe(1);
    expect(await readFile(path)).toEqual(whole);
  });

  it.each(['runtime/sandbox.ts', 'runner/main.ts'])(
    'is the only one that loads compilers: %s reaches none',
    async (entry) => {
      const { files, packages } = await importsFrom(join(packageRoot, 'src', entry));
      expect(files.size).toBeGreaterThan(5);
      expect([...packages]).toContain('zod');
      expect([...packages].filter((name) => compilers.test(name))).toEqual([]);
      expect([...files].filter((path) => /\/(admit|harden|vet|translator)\.ts$/u.test(path))).toEqual([]);
    },
  );

  it('has a translator, and no package that compiles', async () => {
    const { files, packages } = await importsFrom(join(packageRoot, 'src', 'admission', 'main.ts'));
    expect([...files].filter((path) => path.endsWith('/translator.ts'))).toHaveLength(1);
    expect([...packages].filter((name) => compilers.test(name))).toEqual([]);
  });
});

const compilers = /binaryen|jco/u;

/** Everything that a source imports, directly or not, by `import`, `export … from` or `import()`; not for its types. */
async function importsFrom(entry: string): Promise<{ files: Set<string>; packages: Set<string> }> {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (files.has(path)) return;
    files.add(path);
    const code = (await readFile(path, 'utf8')).replace(/^(?:import|export) type\b[^;]*;/gmu, '');
    for (const [, name = ''] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/gu)) {
      if (name.startsWith('.')) await visit(join(dirname(path), name.replace(/\.js$/u, '.ts')));
      else packages.add(name);
    }
  };
  await visit(entry);
  return { files, packages };
}
