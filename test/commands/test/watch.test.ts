import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchFolder } from '../../../src/commands/test/watch.js';
import { temporaryFolder, write } from '../../support/temp.js';

/** Watches a folder; returns the bursts that were seen. */
async function watched(folder: string): Promise<string[][]> {
  const ending = new AbortController();
  const bursts: string[][] = [];
  const watching = watchFolder(folder, {
    signal: ending.signal,
    onChange: (paths) => {
      bursts.push([...paths].sort());
      return Promise.resolve();
    },
  });
  onTestFinished(async () => {
    ending.abort();
    await watching;
  });
  // The watch is ready once it notices a change.
  const touch = async (): Promise<number> => {
    await writeFile(join(folder, 'ready'), '');
    return bursts.length;
  };
  await expect.poll(touch, { interval: 500, timeout: 20_000 }).toBeGreaterThan(0);
  await expect.poll(() => settled(bursts), { interval: 400, timeout: 20_000 }).toBe(true);
  bursts.length = 0;
  return bursts;
}

let last = -1;
function settled(bursts: readonly unknown[]): boolean {
  const before = last;
  last = bursts.length;
  return before === last;
}

describe('watchFolder', () => {
  it('goes on noticing a file that an editor replaces by renaming another', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    await write(folder, 'handler.ts', '0');
    const bursts = await watched(folder);
    for (const version of ['1', '2', '3']) {
      await write(folder, '.handler.ts.swp', version);
      await rename(join(folder, '.handler.ts.swp'), join(folder, 'handler.ts'));
      await expect.poll(() => bursts.flat(), { timeout: 20_000 }).toContain('handler.ts');
      await expect.poll(() => settled(bursts), { interval: 400, timeout: 20_000 }).toBe(true);
      bursts.length = 0;
    }
  });

  it('notices files in new folders, and ignores those that builds change', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const bursts = await watched(folder);
    await mkdir(join(folder, 'build'));
    await write(folder, 'build/naming.wasm', '');
    await mkdir(join(folder, 'cases'));
    await write(folder, 'cases/a.yaml', '');
    await expect.poll(() => bursts.flat(), { timeout: 20_000 }).toContain('cases/a.yaml');
    expect(bursts.flat().filter((path) => path.startsWith('build'))).toEqual([]);
  });
});
