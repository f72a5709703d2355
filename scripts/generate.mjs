// @ts-check
// Writes the generated files and checks the WIT: node scripts/generate.mjs [--check]
import { Buffer } from 'node:buffer';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { componentEmbed, componentNew } from '@bytecodealliance/jco';
import { $init, generateTypes } from '@bytecodealliance/jco-transpile/component';
import { format } from 'prettier';
import { z } from 'zod';
import { undocumented, witPackage } from './wit.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} args
 * @returns {Promise<number>} The exit status: 1 if the WIT breaks a rule or, with `--check`, a file is out of date.
 */
async function main(args) {
  const unknown = args.filter((arg) => arg !== '--check');
  if (unknown.length > 0) {
    console.error(`Cannot generate with '${unknown.join(' ')}': expected nothing or --check`);
    return 2;
  }
  const problems = await undocumented();
  for (const problem of problems) console.error(problem);
  const files = [...(await guestTypes()), ...(await witWorld()), ...(await schemas()), ...(await jsonReader())];
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
 * A generated file.
 * @typedef {{ path: string, text: string }} Generated
 */

/**
 * Returns the types of the WIT's imports and exports, for handlers in TypeScript.
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

/**
 * Returns the types of the WIT's interfaces, with which admission compares those of a plug-in. Makes a component of the
 * whole world from the WIT and reads it like any plug-in.
 * @returns {Promise<Generated[]>}
 */
async function witWorld() {
  const { imports, exports } = await worldOf('configurable-hook-handler');
  const required = [...(await worldOf('hook-handler')).exports.keys()];
  /** @type {Map<string, string>} */
  const names = new Map();
  const lines = [
    '// Made by scripts/generate.mjs from wit/.',
    "import type { WitType } from './wasm/wit-type.js';",
    "import type { WitWorld } from './wit-interface.js';\n",
  ];
  /** @param {WitType | null} type @returns {string} */
  const nameOf = (type) => {
    if (type === null) return 'null';
    const { form, labels, parts } = type;
    const text = `{ form: ${JSON.stringify(form)}, labels: ${JSON.stringify(labels)}, parts: [${parts.map(nameOf).join()}] }`;
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = `${form.replace(/\W/gu, '')}Type${names.size}`;
    names.set(text, name);
    lines.push(`const ${name}: WitType = ${text};`);
    return name;
  };
  /** @param {ReadonlyMap<string, WitType>} types */
  const typesText = (types) => `new Map([${[...types].map(([name, type]) => `['${name}', ${nameOf(type)}]`).join()}])`;
  /** @param {ReadonlyMap<string, WitInterface>} all */
  const interfacesText = (all) =>
    `new Map([${[...all]
      .map(([name, one]) => `['${name}', { types: ${typesText(one.types)}, functions: ${typesText(one.functions)} }]`)
      .join()}])`;
  const world = `{ imports: ${interfacesText(imports)}, exports: ${interfacesText(exports)}, required: new Set(${JSON.stringify(required)}) }`;
  lines.push(
    '\n/** The worlds of wit/: what a component may import, and what it must and may export. */',
    `export const witWorld: WitWorld = ${world};`,
  );
  const text = await format(lines.join('\n'), { parser: 'typescript', singleQuote: true, printWidth: 120 });
  return [{ path: 'src/admission/wit-world.ts', text }];
}

/**
 * @typedef {import('../src/admission/wasm/wit-type.js').WitType} WitType
 * @typedef {import('../src/admission/wit-interface.js').WitInterface} WitInterface
 */

/**
 * @param {string} world
 * @returns {Promise<{ imports: Map<string, WitInterface>, exports: Map<string, WitInterface> }>}
 */
async function worldOf(world) {
  const embedded = await componentEmbed({ witSource: await witPackage(), world, dummy: true });
  const component = Buffer.from(await componentNew(embedded, []));
  const { readComponent } = /** @type {typeof import('../src/admission/wasm/component-binary.js')} */ (
    await built('admission/wasm/component-binary.js')
  );
  const { linkComponent } = /** @type {typeof import('../src/admission/wasm/component-link.js')} */ (
    await built('admission/wasm/component-link.js')
  );
  const { imports, exports } = linkComponent(readComponent(component));
  return { imports: interfacesOf(imports), exports: interfacesOf(exports) };
}

/**
 * @param {string} file
 * @returns {Promise<unknown>}
 */
function built(file) {
  return import(new URL(`../dist/${file}`, import.meta.url).href);
}

/**
 * Returns the instances among a component's imports or exports, each as its interface.
 * @param {ReadonlyMap<string, import('../src/admission/wasm/component-scope.js').Entity>} border
 */
function interfacesOf(border) {
  /** @type {Map<string, WitInterface>} */
  const interfaces = new Map();
  for (const [name, entity] of border) {
    if (entity.sort !== 'instance') continue;
    /** @type {[Map<string, WitType>, Map<string, WitType>]} */
    const [types, functions] = [new Map(), new Map()];
    for (const [item, one] of entity.exports) {
      if (one.sort === 'type') types.set(item, one.type);
      if (one.sort === 'function' && one.types[0] !== undefined) functions.set(item, one.types[0]);
    }
    interfaces.set(name, { types, functions });
  }
  return interfaces;
}

/** @returns {Promise<Generated[]>} */
async function schemas() {
  const type = z.instanceof(z.ZodType);
  const { extismInput, extismOutput } = z
    .object({ extismInput: type, extismOutput: type })
    .parse(await built('runner/contract.js'));
  const { statusSchema, verdictSchema } = z
    .object({ statusSchema: type, verdictSchema: type })
    .parse(await built('index.js'));
  return [
    schema('schema/extism-input.schema.json', 'Input of a Hookvisor handler for Extism', extismInput),
    schema('schema/extism-output.schema.json', 'Output of a Hookvisor handler for Extism', extismOutput),
    schema('schema/status.schema.json', 'Status of a Hookvisor runtime', statusSchema),
    schema('schema/verdict.schema.json', 'Verdict of a Hookvisor runtime on one event', verdictSchema),
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

/**
 * Returns the copy of the AssemblyScript template's JSON reader for the sample plug-in in that language. A project
 * cannot import from outside its folder, and `hookvisor new` gives each project its own copy.
 * @returns {Promise<Generated[]>}
 */
async function jsonReader() {
  const copies = ['bytes.ts', 'json.ts'].map(async (name) => ({
    path: `plugins/quota/assembly/${name}`,
    text: await readFile(join(root, 'templates/as/assembly', name), 'utf8'),
  }));
  return Promise.all(copies);
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
