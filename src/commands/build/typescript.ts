import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type * as TypeScript from 'typescript';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { packageRoot } from '../../shared/paths.js';
import { importQjs, importTypeScript } from './author-modules.js';
import type { Project } from './project.js';
import { reproducibleRuntime } from './qjs-runtime.js';
import { strip } from './strip.js';
import { type CompiledTypeScript, stageOf } from './typescript-stage.js';
import { witFolder } from './wit.js';

type Ts = typeof TypeScript;

/**
 * Compiles TypeScript to a component: checks the types, then bundles the JavaScript, QuickJS and the SDK. Throws
 * HookvisorError `plugin-invalid`, which lists every error with file, line and column.
 */
export async function buildTypeScript(project: Project): Promise<Buffer> {
  const [ts, { componentize }] = await Promise.all([importTypeScript(project.folder), importQjs(project.folder)]);
  const { files, main, validates } = compile(ts, project);
  const stage = await realpath(await mkdtemp(join(tmpdir(), 'hookvisor-build-')));
  try {
    const { sources, entry } = await stageOf({ files, main, validates });
    for (const [name, text] of Object.entries(sources)) await writeBelow(stage, name, text);
    const { component } = await componentize({
      witPath: witFolder,
      jsSource: sources[entry] ?? '',
      jsPath: join(stage, entry),
      moduleRoot: stage,
      world: validates ? 'configurable-hook-handler' : 'hook-handler',
      stubWasi: true,
      runtimeBytes: await reproducibleRuntime(project.folder),
    });
    return strip(component);
  } catch (error) {
    if (error instanceof HookvisorError) throw error;
    const said = messageOf(error).replaceAll(stage, project.folder).replaceAll('.js', '.ts');
    throw new HookvisorError(
      'plugin-invalid',
      `Cannot build '${project.folder}': its code failed at start-up: ${said}; do not run code at the top level`,
      { cause: error },
    );
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function writeBelow(folder: string, name: string, text: string): Promise<void> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

function compile(ts: Ts, { folder, source }: Project): CompiledTypeScript {
  const program = ts.createProgram({
    rootNames: [source, join(packageRoot, 'guest', 'types', 'hookvisor.d.ts')],
    options: optionsOf(ts, folder),
  });
  const errors = ts.getPreEmitDiagnostics(program);
  if (errors.length > 0)
    throw compileError(
      folder,
      errors.map((error) => lineOf(ts, error)),
    );
  const files: Record<string, string> = {};
  program.emit(undefined, (name, text) => {
    // Declarations of Hookvisor are never emitted; the built SDK is bundled later.
    files[relative(folder, name)] = text;
  });
  const exported = exportsOf(program, source);
  if (!exported.includes('handler')) {
    throw compileError(folder, [`${source}:1:1 error: exports no 'handler'; write: export const handler: Handler = …`]);
  }
  const main = relative(folder, source).replace(/\.ts$/u, '.js');
  return { files, main, validates: exported.includes('configurable') };
}

/** Strict options without the types of browsers or Node: a plug-in has neither. */
function optionsOf(ts: Ts, folder: string): TypeScript.CompilerOptions {
  return {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts'],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    rootDir: folder,
    outDir: folder,
    paths: { 'hookvisor/guest': [join(packageRoot, 'dist', 'guest', 'index.d.ts')] },
  };
}

function exportsOf(program: TypeScript.Program, source: string): string[] {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(source);
  const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  return symbol === undefined ? [] : checker.getExportsOfModule(symbol).map(({ name }) => name);
}

function lineOf(ts: Ts, { file, start, messageText, code }: TypeScript.Diagnostic): string {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n  ');
  if (file === undefined || start === undefined) return `error TS${code}: ${message}`;
  const { line, character } = ts.getLineAndCharacterOfPosition(file, start);
  return `${file.fileName}:${line + 1}:${character + 1} error TS${code}: ${message}`;
}

function compileError(folder: string, lines: readonly string[]): HookvisorError {
  const count = lines.length === 1 ? '1 error' : `${lines.length} errors`;
  return new HookvisorError('plugin-invalid', `Cannot build '${folder}': ${count}\n${lines.join('\n')}`, {
    fields: { errors: lines.length },
  });
}
