import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { builtOnce } from './build-cache.js';
import { temporaryFolder } from './temp.js';

it('a build is made once for a key, and only those used last are kept', async () => {
  const folder = temporaryFolder();
  const made: string[] = [];
  const get = async (key: string): Promise<string> => {
    const build = (): Promise<Buffer> => {
      made.push(key);
      return Promise.resolve(Buffer.from(`built ${key}`));
    };
    return (await builtOnce({ folder, key, keep: 2, build })).toString();
  };
  const age = (name: string, hours: number): Promise<void> => {
    const then = new Date(Date.now() - hours * 3_600_000);
    return utimes(join(folder, name), then, then);
  };
  expect([await get('a'), await get('a'), await get('b')]).toEqual(['built a', 'built a', 'built b']);
  expect(made).toEqual(['a', 'b']);
  await age('a', 3);
  await age('b', 2);
  await mkdir(join(folder, 'unfinished-abandoned'));
  await age('unfinished-abandoned', 2);
  await mkdir(join(folder, 'unfinished-under-way'));
  // The older one is used again: the other has to go.
  await get('a');
  await get('c');
  expect((await readdir(folder)).sort()).toEqual(['a', 'c', 'unfinished-under-way']);
});
