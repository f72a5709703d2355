// @ts-check
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strip } from './strip.mjs';
import { watToComponent } from './wat.mjs';

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
 * An instance decides one event, so nothing is ever freed (runtime stub), and `abort` needs no import: it traps.
 * @param {string} folder
 */
async function buildQuota(folder) {
  const { default: asc } = await import('assemblyscript/asc');
  /** @type {Uint8Array | null} */
  let output = null;
  const { error, stderr } = await asc.main(
    [
      ...[relative(root, join(folder, 'assembly', 'index.ts')), '--outFile', 'quota.wasm'],
      ...['-Oz', '--runtime', 'stub', '--use', 'abort='],
    ],
    {
      readFile: async (name, base) => {
        try {
          return await readFile(join(root, base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => {
        if (name === 'quota.wasm' && typeof contents !== 'string') output = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || output === null) throw new Error(stderr.toString().trim() || String(error));
  return strip(output);
}
