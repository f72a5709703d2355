// @ts-check
// Builds the sample handlers whose sources have changed, as `hookvisor build` does:
// node scripts/build-plugins.mjs [--force] [NAME...]
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builders } from '../dist/commands/build/build.js';
import { readProject } from '../dist/commands/build/project.js';
import { HookvisorError } from '../dist/contract/errors.js';

/** Languages whose compiler is not an npm package. Without the compiler the plug-in is skipped. */
const optional = new Set(['c', 'rust', 'go']);

/** Packages whose versions affect the output. */
const tools = ['@bytecodealliance/jco', '@extism/as-pdk', 'assemblyscript', 'componentize-qjs', 'typescript'];

const root = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} args
 * @returns {Promise<number>} The exit status: 0 built or unchanged, 1 a plug-in could not be built, 2 bad arguments.
 */
async function main(args) {
  const force = args.includes('--force');
  const names = args.filter((arg) => arg !== '--force');
  const known = await projects();
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`Cannot build '${unknown.join("', '")}': expected ${known.join(', ')} or --force`);
    return 2;
  }
  const wanted = known.filter((name) => names.length === 0 || names.includes(name));
  const built = await Promise.all(wanted.map((name) => build(name, force)));
  return built.every(Boolean) ? 0 : 1;
}

/** Returns the sample handlers: folders with a plugin.yaml. */
async function projects() {
  const names = await readdir(join(root, 'plugins'));
  return names.filter((name) => existsSync(join(root, 'plugins', name, 'plugin.yaml'))).sort();
}

/**
 * Builds one plug-in if its inputs have changed since its output was written.
 * @param {string} name
 * @param {boolean} force
 * @returns {Promise<boolean>} Whether it succeeded: the output exists, or its compiler is not installed. In that case
 *   the output of an earlier build stays.
 */
async function build(name, force) {
  const project = await readProject(join(root, 'plugins', name));
  const { folder, language, output } = project;
  const stamp = join(dirname(output), '.inputs');
  try {
    const inputs = await digestOfInputs(folder);
    if (!force && (await isCurrent(output, stamp, inputs))) {
      console.log(`${name}: unchanged`);
      return true;
    }
    const started = performance.now();
    const bytes = await builders[language].build(project);
    await mkdir(dirname(output), { recursive: true });
    await writeWhole(output, bytes);
    await writeWhole(stamp, `${inputs}\n${sha256(bytes)}\n`);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name}: ${relative(root, output)}, ${bytes.length} bytes, ${seconds} s`);
    return true;
  } catch (error) {
    if (optional.has(language) && error instanceof HookvisorError && error.code === 'usage') {
      console.log(`${name}: left out. ${error.message}`);
      return true;
    }
    console.error(error instanceof Error ? error.message : String(error));
    return false;
  }
}

/**
 * Writes a file atomically: concurrent readers and writers see the old one or the new one.
 * @param {string} file
 * @param {Uint8Array | string} data
 */
async function writeWhole(file, data) {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, data);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * @param {string} output
 * @param {string} stamp
 * @param {string} inputs
 */
async function isCurrent(output, stamp, inputs) {
  try {
    return (await readFile(stamp, 'utf8')) === `${inputs}\n${sha256(await readFile(output))}\n`;
  } catch {
    return false;
  }
}

/**
 * Returns the digest of everything that the output depends on: sources, contract, SDK, builders and tool versions.
 * @param {string} folder
 */
async function digestOfInputs(folder) {
  const files = [
    ...(await filesBelow(folder)).filter((file) => !/^build\/|\.md$|^cases\.yaml$/u.test(relative(folder, file))),
    ...(await Promise.all(
      ['wit', 'guest', 'dist/guest', 'dist/commands/build'].map((name) => filesBelow(join(root, name))),
    )),
    ...tools.map((tool) => join(root, 'node_modules', tool, 'package.json')),
  ]
    .flat()
    .sort();
  const lines = await Promise.all(files.map(async (file) => `${relative(root, file)} ${sha256(await readFile(file))}`));
  return sha256(lines.join('\n'));
}

/** @param {string} folder */
async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** @param {Uint8Array | string} data */
function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}
