// @ts-check
// Runs every sample plugin over all recorded calls in the sandbox of the Node that runs this, and writes what came of each
// as one line of JSON: node test/matrix/determinism.mjs OUTPUT [FOLDER-OF-PLUGINS]
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parseConfig } from '../../dist/runtime/config/load.js';
import { fromHookArguments } from '../../dist/runtime/libvirt/call.js';
import { HandlerFailure } from '../../dist/contract/outcome.js';
import { createSandbox } from '../../dist/runtime/sandbox.js';

/**
 * @typedef {import('../../src/contract/event.js').HookCall} HookCall
 * @typedef {import('../../src/runtime/backend.js').Handler} Handler
 * @typedef {{ plugin: string, call: string, digest: string | null, result: unknown }} Line
 * @typedef {{ name: string, yaml: object }} Subject
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const captures = join(root, 'test', 'fixtures', 'captures');

const variantsSchema = z.record(z.string(), z.array(z.record(z.string(), z.unknown())));
const callSchema = z.object({ driver: z.string(), argv: z.array(z.string()), stdin: z.string().nullable() });

await main(process.argv[2] ?? '', process.argv[3] ?? join(root, 'plugins'));

/**
 * @param {string} output
 * @param {string} plugins
 */
async function main(output, plugins) {
  if (output === '') throw new Error('Cannot run: name the file to write to');
  const cache = await mkdtemp(join(tmpdir(), 'hookvisor-matrix-'));
  try {
    const [subjects, calls] = [await findSubjects(plugins), await readCalls()];
    const fresh = await evaluateAll({ subjects, calls, cache, atATime: 1 });
    const warm = await evaluateAll({ subjects, calls, cache, atATime: 16 });
    const at = fresh.findIndex((line, index) => line !== warm[index]);
    if (at >= 0) {
      throw new Error(
        `one Node, two results:\n  one at a time, fresh: ${fresh[at]}\n  16 at a time, again:  ${warm[at]}`,
      );
    }
    await writeFile(output, `${fresh.join('\n')}\n`);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/**
 * Every sample plugin, in each of its variants: keys of a handler's configuration.
 * @param {string} plugins
 * @returns {Promise<Subject[]>}
 */
async function findSubjects(plugins) {
  const variants = variantsSchema.parse(JSON.parse(await readFile(new URL('variants.json', import.meta.url), 'utf8')));
  const names = (await readdir(plugins)).sort();
  const subjects = await Promise.all(
    names.map(async (plugin) => {
      const source = join(plugins, plugin, 'build', `${plugin}.wasm`);
      if (!existsSync(source)) return [];
      const backend = (await readFile(source)).readUInt16LE(6) === 0 ? 'extism' : 'component';
      return (variants[plugin] ?? [{}]).map((variant, at) => ({
        name: `${plugin}-${at + 1}`,
        yaml: { backend, source, failurePolicy: 'fail', deadline: '60s', ...variant },
      }));
    }),
  );
  if (subjects.flat().length === 0) throw new Error(`Cannot run: no plugin is built; run 'npm run build' first`);
  return subjects.flat();
}

/** @returns {Promise<{ title: string, call: HookCall }[]>} */
async function readCalls() {
  const files = (await readdir(captures)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(captures, file), 'utf8')));
  return texts
    .flatMap((text) => text.trim().split('\n'))
    .map((line, at) => {
      const { driver, argv, stdin } = callSchema.parse(JSON.parse(line));
      const id = `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
      const document = stdin === null ? null : Buffer.from(stdin);
      const call = fromHookArguments({ driver, args: argv, document, time: 1_700_000_000_000 + at, id });
      return { title: [at + 1, driver, ...argv].join(' '), call };
    });
}

/**
 * @param {{ subjects: Subject[], calls: { title: string, call: HookCall }[], cache: string, atATime: number }} options
 * @returns {Promise<string[]>}
 */
async function evaluateAll({ subjects, calls, cache, atATime }) {
  const handlers = Object.fromEntries(subjects.map(({ name, yaml }) => [name, yaml]));
  const config = parseConfig(
    JSON.stringify({ version: 1, cache, journal: false, handlers }),
    join(cache, 'matrix.yaml'),
  );
  const sandbox = createSandbox({ cache, log: () => undefined });
  try {
    // Admission takes the most time, and uses two processors.
    const loaded = await Promise.all(
      [...config.handlers.values()].map(async ({ backend, ...rest }) => {
        if (backend === 'script') throw new Error(`'${rest.name}' is no plugin`);
        return { name: rest.name, handler: await sandbox.backend(backend).load({ backend, ...rest }) };
      }),
    );
    /** @type {string[]} */
    const lines = [];
    for (const { name, handler } of loaded) {
      for (let at = 0; at < calls.length; at += atATime) {
        const some = calls.slice(at, at + atATime);
        lines.push(...(await Promise.all(some.map(({ title, call }) => evaluate(name, handler, { title, call })))));
      }
    }
    return lines;
  } finally {
    await sandbox[Symbol.asyncDispose]();
  }
}

/**
 * @param {string} plugin
 * @param {Handler} handler
 * @param {{ title: string, call: HookCall }} recorded
 * @returns {Promise<string>}
 */
async function evaluate(plugin, handler, { title, call }) {
  /** @type {Line} */
  const line = { plugin, call: title, digest: handler.digest, result: await resultOf(handler, call) };
  return JSON.stringify(line);
}

/**
 * @param {Handler} handler
 * @param {HookCall} call
 */
async function resultOf(handler, call) {
  try {
    const { outcome, fuel, logs } = await handler.evaluate(call);
    const decided =
      outcome.outcome === 'replace'
        ? { outcome: 'replace', document: createHash('sha256').update(outcome.document).digest('hex') }
        : outcome;
    return { ...decided, fuel, logs, failure: null };
  } catch (error) {
    if (!(error instanceof HandlerFailure)) throw error;
    return { outcome: null, fuel: error.fuel, logs: error.logs, failure: error.failure };
  }
}
