import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { packageRoot } from '../../shared/paths.js';

const run = promisify(execFile);

/**
 * Finds a module that only authors need: that of the project, otherwise the one installed alongside Hookvisor. Throws
 * HookvisorError `usage` for one that `requirePackages` did not find either.
 */
export function authorModule(specifier: string, folder: string): string {
  for (const from of [folder, packageRoot]) {
    try {
      return createRequire(join(from, 'package.json')).resolve(specifier);
    } catch {
      // Try the next location.
    }
  }
  throw new HookvisorError(
    'usage',
    `Cannot build '${folder}': '${specifier}' cannot be loaded; run npm install again`,
    {
      fields: { module: specifier },
    },
  );
}

/** Imports a module that only authors need. The caller asserts its type. */
export async function importAuthorModule(specifier: string, folder: string): Promise<unknown> {
  return (await import(pathToFileURL(authorModule(specifier, folder)).href)) as unknown;
}

/** An external compiler. */
export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Advice for when the program is not installed. */
  readonly install: string;
}

/**
 * Runs a compiler. Throws HookvisorError `usage` when it is not installed, `plugin-invalid` with its error messages
 * (which contain file and line) when it rejects the source.
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
    throw new HookvisorError('plugin-invalid', `Cannot build '${cwd}': ${command} reported\n${wordsOf(error)}`, {
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
