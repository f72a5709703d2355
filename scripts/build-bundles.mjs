// @ts-check
/**
 * Bundles modules in dist/ after `tsc` has run: node scripts/build-bundles.mjs
 *
 * - The programs, so that Node reads a handful of files instead of two hundred, which halves the start-up time. They
 *   replace the output of tsc, which works as well. Their common parts are in dist/chunks/.
 * - dist/component-translator.wasm, a copy of the output of scripts/build-translator.mjs in native/.
 * - dist/hook-client.mjs, the hook client in Node, in one file: it is installed without anything else.
 */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const translator = join(root, 'native', 'component-translator');
const hookClientFile = 'hook-client.mjs';
/** Started by their paths: by libvirt, and by a link such as /usr/local/bin/hookvisor. */
const executables = [hookClientFile, 'commands/main.js'];
/** Loaded only when needed. */
const apart = ['libxml2-wasm', 'libxml2-wasm/lib/libxml2.mjs', '@extism/extism', 'binaryen'];
/** Modules that two commands share form one chunk: each further file costs time to read, and V8 compiles lazily. */
const groups = [
  { name: 'yaml', test: /\/node_modules\/yaml\//u, priority: 2 },
  { name: 'common', minShareCount: 2, priority: 1 },
];
const manifest = z.object({ name: z.string(), version: z.string(), license: z.string() });

/** @type {import('rolldown').BuildOptions[]} */
const programs = ['commands/main', 'runtime/config-main', 'runner/main', 'admission/main'].map((program) => ({
  cwd: root,
  input: { [program]: join('src', `${program}.ts`) },
  platform: 'node',
  external: apart,
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  transform: { target: 'es2022' },
  output: {
    chunkFileNames: `chunks/${dirname(program)}-${basename(program)}-[name].js`,
    codeSplitting: { groups },
    comments: false,
  },
}));
/** @type {import('rolldown').BuildOptions} */
const hookClient = {
  cwd: root,
  input: join('src', 'client', 'main.ts'),
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  transform: { target: 'es2022' },
  output: { entryFileNames: hookClientFile, codeSplitting: false, comments: false },
};

/** @type {Set<string>} */
const folders = new Set();
for (const options of [...programs, hookClient]) {
  const { output } = await build({ ...options, write: false });
  // The programs come last, so that each is complete at every moment.
  for (const chunk of output.toReversed()) {
    if (chunk.type !== 'chunk') continue;
    await write(chunk.fileName, chunk.code, executables.includes(chunk.fileName) ? 0o755 : 0o644);
    for (const path of chunk.moduleIds) if (path.includes('/node_modules/')) folders.add(packageFolder(path));
  }
}
await write('component-translator.wasm', await readFile(join(translator, 'component-translator.wasm')));
const texts = await Promise.all([...folders].sort().map((folder) => licenceOf(folder)));
const translatorTexts = await readFile(join(translator, 'THIRD-PARTY-LICENSES'), 'utf8');
await write(
  'THIRD-PARTY-LICENSES',
  [...texts, `Parts of component-translator.wasm:\n\n${translatorTexts}`].join(`\n\n${'='.repeat(78)}\n\n`),
);

/** @param {string} path A module in node_modules. */
function packageFolder(path) {
  const from = path.lastIndexOf('/node_modules/') + '/node_modules/'.length;
  const [scope = '', name = ''] = path.slice(from).split('/');
  return join(path.slice(0, from), scope, scope.startsWith('@') ? name : '');
}

/** @param {string} folder */
async function licenceOf(folder) {
  const { name, version, license } = manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  const text = await readFile(join(folder, 'LICENSE'), 'utf8');
  return `Parts of ${name} ${version} (${license}), joined with others:\n\n${text}`;
}

/**
 * Writes a file atomically: concurrent readers see the old one or the new one.
 * @param {string} name
 * @param {string | Buffer} data
 * @param {number} [mode]
 */
async function write(name, data, mode = 0o644) {
  const path = join(root, 'dist', name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}.tmp`, data);
  await chmod(`${path}.${process.pid}.tmp`, mode);
  await rename(`${path}.${process.pid}.tmp`, path);
}
