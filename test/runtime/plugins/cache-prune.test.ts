import { readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheName, createCache } from '../../../src/runtime/plugins/cache.js';
import { pruneBounds, pruneCache } from '../../../src/runtime/plugins/cache-prune.js';
import { temporaryFolder } from '../../support/sandbox.js';

const day = 24 * 3_600_000;
const fail = (_: string, message: string): never => {
  throw new Error(message);
};
const hash = (n: number): string => n.toString(16).padStart(64, '0');
const current = (n: number): string => {
  const key = { digest: hash(n), backend: 'component', memoryBytes: 65_536 } as const;
  return `${cacheName(key)}.artefact`;
};
const other = (n: number): string => `0_18_10.2.154_${hash(n)}.artefact`;

async function fileOf(folder: string, name: string, unusedMs: number, size = 10): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.alloc(size));
  const used = new Date(Date.now() - unusedMs);
  await utimes(path, used, used);
  return name;
}

describe('pruning a cache', () => {
  it('removes what nobody used for long, sooner if it is of another version, and leftovers of writers', async () => {
    await using folder = await temporaryFolder();
    const at = folder.path;
    const kept = [
      await fileOf(at, current(1), 29 * day),
      await fileOf(at, other(2), 6 * day),
      await fileOf(at, `${current(3)}.0123456789abcdef.tmp`, 60_000),
    ];
    await fileOf(at, current(4), 31 * day);
    await fileOf(at, other(5), 8 * day);
    await fileOf(at, `${hash(6)}.artefact`, 8 * day);
    await fileOf(at, `${current(7)}.0123456789abcdef.tmp`, 2 * 3_600_000);
    await pruneCache(at, fail);
    expect((await readdir(at)).sort()).toEqual(kept.sort());
  });

  it('keeps the size within its bound: what was unused longest goes, what was used lately never', async () => {
    await using folder = await temporaryFolder();
    const at = folder.path;
    await fileOf(at, current(1), 3 * day, 40);
    const kept = [await fileOf(at, current(2), 2 * day, 40), await fileOf(at, current(3), 60_000, 40)];
    await pruneCache(at, fail, { ...pruneBounds, totalBytes: 100 });
    expect((await readdir(at)).sort()).toEqual(kept.sort());
    await pruneCache(at, fail, { ...pruneBounds, totalBytes: 10 });
    expect(await readdir(at)).toEqual(kept.slice(1));
  });

  it('touches nothing that is not an entry', async () => {
    await using folder = await temporaryFolder();
    const at = folder.path;
    await fileOf(at, 'notes.txt', 400 * day);
    await fileOf(at, 'x.artefact', 400 * day);
    await symlink('/etc/hostname', join(at, current(1)));
    await pruneCache(at, fail, { ...pruneBounds, unusedMs: 0, totalBytes: 0, recentMs: 0 });
    expect(await readdir(at)).toHaveLength(3);
  });

  it('says so when it cannot, and has nothing to do without a folder', async () => {
    await using folder = await temporaryFolder();
    await pruneCache(join(folder.path, 'none'), fail);
    const said: string[] = [];
    const path = join(folder.path, await fileOf(folder.path, 'file', 0));
    await pruneCache(path, (level, message) => said.push(`${level}: ${message}`));
    expect(said.join()).toMatch(
      /^warn: Cannot prune the cache '.*file': ENOTDIR.*; make it writable, or it keeps growing/u,
    );
  });

  it('spares an entry that a runtime has read', async () => {
    await using folder = await temporaryFolder();
    const cache = createCache(folder.path, fail);
    const key = { digest: hash(1), backend: 'component', memoryBytes: 65_536 } as const;
    await cache.write(key, {
      backend: 'component',
      digest: hash(1),
      assembly: { kind: 'module' },
      validates: false,
      modules: [],
    });
    const [name = ''] = (await readdir(folder.path)).filter((one) => one !== 'key');
    const long = new Date(Date.now() - 40 * day);
    await utimes(join(folder.path, name), long, long);
    expect(await cache.read(key)).not.toBeNull();
    await pruneCache(folder.path, fail);
    expect((await readdir(folder.path)).sort()).toEqual([name, 'key'].sort());
  });
});
