// @ts-check
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { root } from './stage.mjs';

const run = promisify(execFile);

const packSchema = z.array(z.object({ unpackedSize: z.number() }));
const lockSchema = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });

/**
 * Returns the bytes of all files below a folder, except those that `skip` names.
 * @param {string} folder
 * @param {string} [skip]
 * @returns {Promise<number>}
 */
export async function folderBytes(folder, skip) {
  let sum = 0;
  for (const name of await readdir(folder)) {
    if (name === skip) continue;
    const path = join(folder, name);
    const found = await lstat(path);
    sum += found.isDirectory() ? await folderBytes(path, skip) : found.size;
  }
  return sum;
}

/**
 * Returns the disk space that `npm install --omit=dev` of the packed tarball takes, MB, the largest packages first: the
 * package's own files and those of its dependencies, as installed here. Downloads nothing.
 * @returns {Promise<{ name: string, megabytes: number }[]>}
 */
export async function installSizes() {
  const options = { cwd: root, maxBuffer: 16 * 1024 * 1024 };
  const packed = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options);
  const [pack] = packSchema.parse(JSON.parse(packed.stdout));
  const lock = lockSchema.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  // The lock file lists packages for other systems, which are not on the disk.
  const folders = Object.keys(lock.packages).filter((folder) => {
    return folder !== '' && lock.packages[folder]?.dev !== true && existsSync(join(root, folder));
  });
  const packages = await Promise.all(
    folders.map(async (folder) => ({
      name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      megabytes: (await folderBytes(join(root, folder), 'node_modules')) / 1e6,
    })),
  );
  packages.push({ name: 'hookvisor', megabytes: (pack?.unpackedSize ?? 0) / 1e6 });
  return packages.sort((a, b) => b.megabytes - a.megabytes);
}
