import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Artefact } from '../../../src/backends/artefact.js';
import { createCache } from '../../../src/sandbox/admission/cache.js';
import { temporaryFolder } from '../support.js';

const digest = 'a'.repeat(64);
const key = { digest, backend: 'component', memoryBytes: 65_536 } as const;
const artefact: Artefact = {
  backend: 'component',
  digest,
  assembly: {
    kind: 'plan',
    plan: {
      steps: [{ module: 'one', imports: [['\u00fc', [['f', { is: 'export', ref: [0, 'f'] }]]]] }],
      handle: {
        ...{
          instance: 0,
          encoding: 'utf8',
          core: [0, 'handle'],
          memory: [0, 'memory'],
          realloc: null,
          postReturn: null,
        },
      },
      validate: null,
    },
    needsXml: true,
  },
  validates: true,
  modules: [
    { name: 'core.wasm', bytes: Buffer.from([1, 2, 3]), memory: { initial: 1, maximum: 2 } },
    { name: 'core2.wasm', bytes: Buffer.alloc(0), memory: null },
  ],
};

describe('the cache', () => {
  it('gives back what was written, for the same plugin, backend and memory only', async () => {
    await using folder = await temporaryFolder();
    const logged: string[] = [];
    const cache = createCache(join(folder.path, 'new', 'cache'), (_, message) => logged.push(message));
    expect(await cache.read(key)).toBeNull();
    await cache.write(key, artefact);
    expect(await cache.read(key)).toEqual(artefact);
    expect(await cache.read({ ...key, memoryBytes: 131_072 })).toBeNull();
    expect(await cache.read({ ...key, backend: 'extism' })).toBeNull();
    expect(logged).toEqual([]);
  });

  it('keeps one file that only its owner can read', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'cache');
    const cache = createCache(path, () => undefined);
    await Promise.all([cache.write(key, artefact), cache.write(key, artefact)]);
    const names = await readdir(path);
    expect(names).toHaveLength(1);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, names[0] ?? ''))).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['a changed byte', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([9])])],
    ['a missing end', (bytes: Buffer) => bytes.subarray(0, -2)],
    ['no content', () => Buffer.alloc(0)],
  ])('does not give a file with %s, and says so', async (_, damage) => {
    await using folder = await temporaryFolder();
    const logged: string[] = [];
    const cache = createCache(folder.path, (level, message) => logged.push(`${level}: ${message}`));
    await cache.write(key, artefact);
    const path = join(folder.path, (await readdir(folder.path))[0] ?? '');
    await writeFile(path, damage(await readFile(path)));
    expect(await cache.read(key)).toBeNull();
    expect(logged).toEqual([
      `warn: Cannot use '${path}': it is damaged; the plugin is admitted again and the file replaced`,
    ]);
    await cache.write(key, artefact);
    expect(await cache.read(key)).toEqual(artefact);
  });
});
