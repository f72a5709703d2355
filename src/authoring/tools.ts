import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { hasCode } from '../error-code.js';
import { HookvisorError, messageOf } from '../errors.js';
import { packageRoot } from '../paths.js';

const run = promisify(execFile);

/** Versions that are known to work together; they are no part of a runtime's install. */
const versions: Readonly<Record<string, string>> = {
  '@bytecodealliance/jco': '1.34.0',
  '@extism/as-pdk': '1.0.0',
  assemblyscript: '0.28.20',
  'componentize-qjs': '0.4.5',
  typescript: '6.0.3',
};

/**
 * The file of a module that only authors need: the project's own, else the one beside Hookvisor. Throws HookvisorError
 * `usage` which says what to install.
 */
export function authorModule(specifier: string, folder: string): string {
  for (const from of [folder, packageRoot]) {
    try {
      return createRequire(join(from, 'package.json')).resolve(specifier);
    } catch {
      // Looked for at the next place.
    }
  }
  const name = packageOf(specifier);
  const version = versions[name];
  throw new HookvisorError(
    'usage',
    `Cannot build '${folder}': the package '${name}' is not installed; ` +
      `run: npm install --save-dev ${name}${version === undefined ? '' : `@${version}`}`,
    { fields: { package: name } },
  );
}

/** Imports a module that only authors need. The caller says by its type what it takes from it. */
export async function importAuthorModule(specifier: string, folder: string): Promise<unknown> {
  return (await import(pathToFileURL(authorModule(specifier, folder)).href)) as unknown;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** A program outside of Node that builds a plugin. */
export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What to do when the program is not there. */
  readonly install: string;
}

/**
 * Runs a compiler. Throws HookvisorError `usage` when it is not installed, `plugin-invalid` with its own words, which
 * name file and line, when it refuses the source.
 */
export async function runTool({ command, args, cwd, env, install }: ToolRun): Promise<void> {
  try {
    await run(command, args, { cwd, env: { ...process.env, ...env, LC_ALL: 'C' }, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      throw new HookvisorError('usage', `Cannot build '${cwd}': '${command}' is not installed; ${install}`, {
        cause: error,
        fields: { command },
      });
    }
    throw new HookvisorError('plugin-invalid', `Cannot build '${cwd}': ${command} says\n${wordsOf(error)}`, {
      cause: error,
      fields: { command },
    });
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  const said = ['stderr', 'stdout'].map((name) => (name in error ? String(Reflect.get(error, name)).trim() : ''));
  return said.filter((text) => text !== '').join('\n') || error.message;
}
