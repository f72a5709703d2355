// @ts-check
// Builds the sample handlers from source: node scripts/build-plugins.mjs [--force] [NAME...]
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builders } from './plugin-builders.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} args
 * @returns {Promise<number>} The exit status: 0 built or unchanged, 1 a plugin could not be built, 2 bad arguments.
 */
async function main(args) {
  const force = args.includes('--force');
  const names = args.filter((arg) => arg !== '--force');
  const unknown = names.filter((name) => !Object.hasOwn(builders, name));
  if (unknown.length > 0) {
    console.error(`Cannot build '${unknown.join("', '")}': expected ${Object.keys(builders).join(', ')} or --force`);
    return 2;
  }
  const wanted = Object.entries(builders).filter(([name]) => names.length === 0 || names.includes(name));
  const built = await Promise.all(wanted.map(([name, builder]) => build(name, builder, force)));
  return built.every(Boolean) ? 0 : 1;
}

/**
 * Builds one plugin if its inputs changed since its output was written.
 * @param {string} name
 * @param {import('./plugin-builders.mjs').Builder} builder
 * @param {boolean} force
 * @returns {Promise<boolean>} Whether the output is there now.
 */
async function build(name, builder, force) {
  const folder = join(root, 'plugins', name);
  const output = join(folder, 'build', `${name}.wasm`);
  const stamp = join(folder, 'build', '.inputs');
  try {
    const inputs = await digestOfInputs(folder, builder.tools);
    if (!force && (await isCurrent(output, stamp, inputs))) {
      console.log(`${name}: unchanged`);
      return true;
    }
    const started = performance.now();
    const bytes = await builder.build(folder);
    await mkdir(dirname(output), { recursive: true });
    await writeWhole(output, bytes);
    await writeWhole(stamp, `${inputs}\n${sha256(bytes)}\n`);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name}: ${relative(root, output)}, ${bytes.length} bytes, ${seconds} s`);
    return true;
  } catch (error) {
    console.error(`Cannot build the plugin '${name}': ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/**
 * Another process may be reading or writing the same file: it sees the old one or the new one.
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
 * The digest of everything that the output depends on: sources, WIT, these scripts and the tools' versions.
 * @param {string} folder
 * @param {readonly string[]} tools
 */
async function digestOfInputs(folder, tools) {
  const files = [
    ...(await filesBelow(folder)).filter((file) => !/^build\/|\.md$/u.test(relative(folder, file))),
    ...(await filesBelow(join(root, 'wit'))),
    ...['build-plugins.mjs', 'plugin-builders.mjs', 'strip.mjs', 'wat.mjs', 'wit.mjs'].map((script) =>
      join(root, 'scripts', script),
    ),
    ...tools.map((tool) => join(root, 'node_modules', tool, 'package.json')),
  ].sort();
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
