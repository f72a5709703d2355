import { execFileSync } from 'node:child_process';
import { chmod, lstat, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Artefact } from '../../../src/contract/artefact.js';
import { cacheName, createCache } from '../../../src/runtime/plugins/cache.js';
import { temporaryFolder } from '../../support/sandbox.js';

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

async function entryIn(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((one) => one.endsWith('.artefact'));
  return join(folder, name ?? 'none');
}

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

  it('keeps one entry, and its key, which only their owner can read', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'cache');
    const cache = createCache(path, () => undefined);
    await Promise.all([cache.write(key, artefact), cache.write(key, artefact)]);
    const names = await readdir(path);
    expect(names.sort()).toEqual([expect.stringMatching(/\.artefact$/u), 'key']);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    for (const name of names) expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
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
    const path = await entryIn(folder.path);
    await writeFile(path, damage(await readFile(path)));
    expect(await cache.read(key)).toBeNull();
    expect(logged).toEqual([
      `warn: Cannot use '${path}': it is damaged, or was not written by a runtime of this user; the plug-in is admitted again and the file replaced`,
    ]);
    await cache.write(key, artefact);
    expect(await cache.read(key)).toEqual(artefact);
  });

  it('does not give an entry under the name of another', async () => {
    await using folder = await temporaryFolder();
    const cache = createCache(folder.path, () => undefined);
    const larger = { ...key, memoryBytes: 131_072 };
    await cache.write(key, artefact);
    const path = await entryIn(folder.path);
    await writeFile(path.replace(cacheName(key), cacheName(larger)), await readFile(path));
    expect(await cache.read(key)).toEqual(artefact);
    expect(await cache.read(larger)).toBeNull();
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ['is gone', (path) => rm(path)],
    ['is shorter', (path) => writeFile(path, 'short')],
    ['has other bytes', (path) => writeFile(path, Buffer.alloc(32))],
    ['could be read by others', (path) => chmod(path, 0o640)],
    ['is a link', (path) => rename(path, `${path}.old`).then(() => symlink('key.old', path))],
    ['is a pipe', (path) => rm(path).then(() => execFileSync('mkfifo', ['-m', '600', path]))],
  ])('admits again when its key %s, and goes on with a key of its own', async (_, spoil) => {
    await using folder = await temporaryFolder();
    await createCache(folder.path, () => undefined).write(key, artefact);
    await spoil(join(folder.path, 'key'));
    const cache = createCache(folder.path, () => undefined);
    expect(await cache.read(key)).toBeNull();
    await cache.write(key, artefact);
    expect(await createCache(folder.path, () => undefined).read(key)).toEqual(artefact);
    expect(await lstat(join(folder.path, 'key'))).toMatchObject({ size: 32, mode: 0o100600 });
  });

  it('follows no link in place of an entry', async () => {
    await using folder = await temporaryFolder();
    const cache = createCache(folder.path, () => undefined);
    await cache.write(key, artefact);
    const path = await entryIn(folder.path);
    await rename(path, `${path}.old`);
    await symlink(`${path}.old`, path);
    expect(await cache.read(key)).toBeNull();
  });

  it('is not used where others may write, and says why', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o777);
    const logged: string[] = [];
    const cache = createCache(folder.path, (level, message) => logged.push(`${level}: ${message}`));
    await cache.write(key, artefact);
    expect(await cache.read(key)).toBeNull();
    expect(await readdir(folder.path)).toEqual([]);
    expect(logged[0]).toMatch(/^warn: Cannot cache .* has mode 0777: everybody may change it; run 'chmod go-w /u);
    expect(logged).toHaveLength(2);
  });

  it('makes one key when several processes begin at once', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'cache');
    const caches = Array.from({ length: 8 }, () => createCache(path, () => undefined));
    const keys = caches.map((_, at) => ({ ...key, memoryBytes: 65_536 * (at + 1) }));
    await Promise.all(caches.map((cache, at) => cache.write(keys[at] ?? key, artefact)));
    const read = await Promise.all(keys.map((one) => createCache(path, () => undefined).read(one)));
    expect(read).toEqual(keys.map(() => artefact));
    expect((await readdir(path)).filter((name) => !name.endsWith('.artefact'))).toEqual(['key']);
  });
});
