// @ts-check
/**
 * Joins what admission needs of `@bytecodealliance/jco-transpile` into dist/component-bindgen/, so that an installation
 * needs neither that package nor Binaryen, which it depends on: node scripts/build-bundles.mjs
 *
 * It takes preview2-shim for browsers: the one for Node would give the parser files, a worker and a native addon.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'dist', 'component-bindgen');
const entry = fileURLToPath(import.meta.resolve('@bytecodealliance/jco-transpile/component'));
const cores = ['js-component-bindgen-component.core.wasm', 'js-component-bindgen-component.core2.wasm'];

const manifest = z.object({ name: z.string(), version: z.string(), license: z.string() });

await mkdir(folder, { recursive: true });
const {
  output: [{ code, moduleIds }],
} = await build({
  input: entry,
  platform: 'browser',
  external: /^node:/u,
  checks: { moduleLevelDirective: false },
  output: { format: 'es' },
  write: false,
});
const packages = [...new Set(moduleIds.map((file) => packageFolder(file)))].sort();
const parts = await Promise.all(packages.map((path) => partOf(path)));
const names = parts.map(({ name }) => name).join('; ');
await write('component-bindgen.js', `// Made of ${names}; see LICENSE.\n${code}`);
for (const core of cores) await write(core, await readFile(join(dirname(entry), core)));
await write('LICENSE', parts.map(({ name, license }) => `${name}\n\n${license}`).join(`\n\n${'='.repeat(78)}\n\n`));

/** @param {string} file A module inside of node_modules. */
function packageFolder(file) {
  const from = file.lastIndexOf('/node_modules/') + '/node_modules/'.length;
  const [scope = '', name = ''] = file.slice(from).split('/');
  return join(file.slice(0, from), scope, scope.startsWith('@') ? name : '');
}

/** @param {string} path A package's folder. */
async function partOf(path) {
  const { name, version, license } = manifest.parse(JSON.parse(await readFile(join(path, 'package.json'), 'utf8')));
  return {
    name: `${name} ${version}, ${license.replace(/^\((.*)\)$/u, '$1')}`,
    license: await readFile(join(path, 'LICENSE'), 'utf8'),
  };
}

/**
 * Others may be reading the same file: they see the old one or the new one.
 * @param {string} name
 * @param {string | Buffer} data
 */
async function write(name, data) {
  const temporary = join(folder, `.${name}.${process.pid}.tmp`);
  await writeFile(temporary, data);
  await rename(temporary, join(folder, name));
}
