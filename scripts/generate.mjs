// @ts-check
// Writes the files that are made from others, and checks the WIT: node scripts/generate.mjs [--check]
import { Buffer } from 'node:buffer';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { $init, generateTypes } from '@bytecodealliance/jco-transpile/component';
import { format } from 'prettier';
import { z } from 'zod';
import { undocumented, witPackage } from './wit.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} args
 * @returns {Promise<number>} The exit status: 1 when the WIT is not as it should be or, with `--check`, a file is not.
 */
async function main(args) {
  const unknown = args.filter((arg) => arg !== '--check');
  if (unknown.length > 0) {
    console.error(`Cannot generate with '${unknown.join(' ')}': expected nothing or --check`);
    return 2;
  }
  const problems = await undocumented();
  for (const problem of problems) console.error(problem);
  const files = [...(await guestTypes()), ...(await schemas())];
  const different = [];
  for (const file of files) if (!(await isCurrent(file))) different.push(file);
  if (!args.includes('--check')) {
    for (const file of different) await write(file);
    console.log(`${different.length} of ${files.length} generated files written`);
    return problems.length > 0 ? 1 : 0;
  }
  for (const { path } of different) console.error(`${path} differs from what would be generated; run npm run generate`);
  return problems.length + different.length > 0 ? 1 : 0;
}

/**
 * A file that is made from others.
 * @typedef {{ path: string, text: string }} Generated
 */

/**
 * The types of the WIT's imports and exports, for handlers in TypeScript.
 * @returns {Promise<Generated[]>}
 */
async function guestTypes() {
  await $init;
  const files = generateTypes('hookvisor', {
    wit: { tag: 'source', val: await witPackage() },
    world: 'configurable-hook-handler',
    guest: true,
    features: { tag: 'list', val: [] },
  });
  const declarations = files
    .filter(([name]) => name.startsWith('interfaces/'))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, bytes]) =>
      Buffer.from(bytes)
        .toString('utf8')
        .replace(/^\/\/\/ <reference.*\n/gmu, ''),
    );
  const text = await format(declarations.join(''), { parser: 'typescript', singleQuote: true, printWidth: 120 });
  return [{ path: 'guest/types/hookvisor.d.ts', text }];
}

/** @returns {Promise<Generated[]>} */
async function schemas() {
  /** @type {unknown} */
  const contract = await import(new URL('../dist/backends/contract.js', import.meta.url).href);
  const { extismInput, extismOutput } = z
    .object({ extismInput: z.instanceof(z.ZodType), extismOutput: z.instanceof(z.ZodType) })
    .parse(contract);
  return [
    schema('schema/extism-input.schema.json', 'Input of a Hookvisor handler for Extism', extismInput),
    schema('schema/extism-output.schema.json', 'Output of a Hookvisor handler for Extism', extismOutput),
  ];
}

/**
 * @param {string} path
 * @param {string} title
 * @param {z.ZodType} type
 * @returns {Generated}
 */
function schema(path, title, type) {
  const { $schema, ...rest } = z.toJSONSchema(type, { io: 'input' });
  return { path, text: `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n` };
}

/** @param {Generated} file */
async function isCurrent({ path, text }) {
  try {
    return (await readFile(join(root, path), 'utf8')) === text;
  } catch {
    return false;
  }
}

/** @param {Generated} file */
async function write({ path, text }) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
