import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/paths.js';
import { guestsIn, hostileCrowd } from '../support/hostile.js';
import { snapshot } from '../support/leftovers.js';
import { temporaryFolder } from '../support/temp.js';

const report = z.object({ ended: z.number(), grownBytes: z.number() });

/** These run until their deadline, round after round, and add nothing to what the others show. */
const tooLong = /^(many-|xpath-explodes|bulk-copies)/u;

it('after all hostile guests the runtime has its memory back, and no process or file is left', async () => {
  const folder = temporaryFolder();
  const cache = join(folder, 'cache');
  await mkdir(cache);
  const crowds = await Promise.all(
    (['component', 'extism'] as const).map(async (backend) => {
      const crowd = await hostileCrowd(backend);
      const source = join(folder, `${backend}.wasm`);
      await writeFile(source, crowd.bytes);
      const guests = [...guestsIn('both'), ...guestsIn(backend)].filter((guest) => !tooLong.test(guest));
      return { backend, source, ids: guests.map((guest) => crowd.idOf(guest)) };
    }),
  );
  const before = await snapshot({ folders: [folder] });
  const script = join(packageRoot, 'test', 'fixtures', 'hostile', 'run-all.mjs');
  const module = join(packageRoot, 'dist', 'sandbox', 'sandbox.js');
  const args = ['--expose-gc', script, module, cache, JSON.stringify(crowds), '1'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { ended, grownBytes } = report.parse(JSON.parse(stdout));
  expect(ended).toBe(crowds.reduce((sum, { ids }) => sum + ids.length, 0));
  expect(grownBytes).toBeLessThan(20_000_000);
  const { processes, files } = await before.compare({ rssBytes: Number.MAX_SAFE_INTEGER });
  expect(processes).toEqual([]);
  // One artefact for each of the two plugins, and nothing else.
  expect(files.filter((file) => !file.endsWith('.artefact'))).toEqual([]);
  expect(files).toHaveLength(2);
}, 120_000);
