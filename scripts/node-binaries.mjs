// @ts-check
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../node_modules/.cache/hookvisor-nodes', import.meta.url));

const versionsSchema = z.object({ package: z.string(), versions: z.array(z.string()) });

/** The Node versions to test, and the package that contains each. */
export async function pinnedNodes() {
  return versionsSchema.parse(JSON.parse(await readFile(new URL('node-versions.json', import.meta.url), 'utf8')));
}

/**
 * Returns the binary of one Node version, and installs it from the package registry if needed. Throws if it is not
 * available.
 * @param {string} name The package that contains it.
 * @param {string} version
 * @param {(what: string) => void} tell Reports steps that take time.
 * @returns {Promise<string>}
 */
export async function nodeBinary(name, version, tell) {
  const home = join(folder, version);
  const binary = join(home, 'node_modules', name, 'bin', 'node');
  if (!existsSync(binary)) {
    tell(`getting Node ${version}`);
    await install(home, `${name}@${version}`);
  }
  const { stdout } = await run(binary, ['--version']);
  if (stdout.trim() !== `v${version}`)
    throw new Error(`'${binary}' is ${stdout.trim()}; remove '${home}' and try again`);
  return binary;
}

/**
 * Installs a package in a temporary folder, then renames it, so that an installed package is always complete.
 * @param {string} home
 * @param {string} spec
 */
async function install(home, spec) {
  await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(`${home}.`);
  try {
    const options = [
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      '--loglevel=error',
    ];
    await run('npm', ['install', '--prefix', temporary, ...options, spec]);
    await rm(home, { recursive: true, force: true });
    await rename(temporary, home);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    const why = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`'${spec}' cannot be installed: ${why}`, { cause: error });
  }
}
