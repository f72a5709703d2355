import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { snapshot } from './leftovers.js';
import { temporaryFolder } from './temp.js';

it('finds a file, a child and an orphan that were left behind, and memory that is held', async () => {
  const folder = temporaryFolder();
  const before = await snapshot({ folders: [folder] });
  await writeFile(join(folder, 'left'), '');
  // The shell ends and leaves its child, which it has put into the background, to init.
  const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; read line'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const orphan = Number((await once(shell.stdout, 'data'))[0]);
  await sleep(200);
  shell.stdin.end('\n');
  await once(shell, 'exit');
  const held = Buffer.alloc(60_000_000, 1);
  try {
    const left = await before.compare({ waitMs: 100 });
    expect(left.processes).toEqual([`${orphan} sleep`]);
    expect(left.files).toEqual([join(folder, 'left')]);
    expect(left.rssGrowthBytes).toBeGreaterThan(20_000_000);
    expect(held).toHaveLength(60_000_000);
  } finally {
    process.kill(orphan, 'SIGKILL');
  }
});

it('finds nothing after work that tidied up', async () => {
  const before = await snapshot({ folders: [temporaryFolder()] });
  await once(spawn('/bin/true'), 'exit');
  expect(await before.compare()).toMatchObject({ processes: [], files: [] });
});
