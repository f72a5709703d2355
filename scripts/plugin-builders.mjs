// @ts-check
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { strip } from './strip.mjs';
import { watToComponent } from './wat.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * How one plugin is made.
 * @typedef {object} Builder
 * @property {readonly string[]} tools Packages whose versions decide what comes out.
 * @property {(folder: string) => Promise<Uint8Array>} build Takes the plugin's folder, gives the .wasm file.
 */

/** @type {Readonly<Record<string, Builder>>} */
export const builders = {
  'tiny-allow': { tools: ['@bytecodealliance/jco'], build: buildTinyAllow },
  naming: { tools: ['componentize-qjs', 'typescript'], build: buildNaming },
  quota: { tools: ['assemblyscript', '@extism/as-pdk'], build: buildQuota },
};

/** @param {string} folder */
async function buildTinyAllow(folder) {
  const source = join(folder, 'tiny-allow.wat');
  try {
    return strip(await watToComponent(await readFile(source, 'utf8'), 'hook-handler'));
  } catch (error) {
    throw new Error(`${relative(root, source)}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/**
 * TypeScript to JavaScript file by file, then QuickJS with the JavaScript in it. Types are checked by `npm run check`.
 * @param {string} folder
 */
async function buildNaming(folder) {
  const [{ default: ts }, { componentize }] = await Promise.all([import('typescript'), import('componentize-qjs')]);
  const scripts = join(folder, 'build', 'js');
  await rm(scripts, { recursive: true, force: true });
  await mkdir(scripts, { recursive: true });
  for (const name of ['naming', 'settings']) {
    const source = join(folder, `${name}.ts`);
    const { outputText, diagnostics = [] } = ts.transpileModule(await readFile(source, 'utf8'), {
      fileName: source,
      reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    if (diagnostics.length > 0) {
      throw new Error(
        ts.formatDiagnostics(diagnostics, {
          getCanonicalFileName: (file) => file,
          getCurrentDirectory: () => root,
          getNewLine: () => '\n',
        }),
      );
    }
    await writeFile(join(scripts, `${name}.js`), outputText);
  }
  const main = join(scripts, 'naming.js');
  const { component } = await componentize({
    witPath: join(root, 'wit'),
    jsSource: await readFile(main, 'utf8'),
    jsPath: main,
    moduleRoot: scripts,
    world: 'configurable-hook-handler',
    sync: true,
    stubWasi: true,
    optSize: true,
  });
  return strip(component);
}

/**
 * An instance decides one event, so nothing is ever freed (runtime stub), and `abort` needs no import: it traps. The
 * compiler keeps a processor busy for seconds, and its types redefine globals: it runs as a process of its own.
 * @param {string} folder
 */
async function buildQuota(folder) {
  const output = join(folder, 'build', `assembly.${process.pid}.wasm`);
  await mkdir(dirname(output), { recursive: true });
  const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const source = relative(root, join(folder, 'assembly', 'index.ts'));
  const options = ['--outFile', relative(root, output), '-Oz', '--runtime', 'stub', '--use', 'abort=', '--noColors'];
  try {
    await run(process.execPath, [compiler, source, ...options], { cwd: root });
    return strip(await readFile(output));
  } catch (error) {
    throw new Error(error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error), {
      cause: error,
    });
  } finally {
    await rm(output, { force: true });
  }
}
