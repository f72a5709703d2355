import { relative } from 'node:path';
import type { Command } from 'commander';
import { buildProject, type Built } from './build.js';
import { readProject } from './project.js';
import { HookvisorError } from '../../contract/errors.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { printable } from '../terminal/printable.js';

/** Codes of errors in the source, as opposed to the project or the machine. */
export const sourceErrors: ReadonlySet<string> = new Set(['plugin-invalid', 'plugin-refused']);

/** Implements `hookvisor build`: source to a vetted .wasm; exits with 1 when the source has errors. */
export function buildCommand({ terminal, finish }: CommandContext): Command {
  const { out, err } = terminal;
  return newCommand('build', 'build and vet the plug-in of a project', [
    'hookvisor build',
    'hookvisor build naming --json',
  ])
    .argument('[dir]', 'the project folder', '.')
    .option('--json', 'print the result as JSON')
    .action(async (folder: string, { json }: { json?: true }) => {
      const project = await readProject(folder);
      try {
        const built = await buildProject(project);
        out.write(json === true ? jsonLine(built) : describeBuild(built));
        finish(exitStatus.success);
      } catch (error) {
        if (!(error instanceof HookvisorError) || !sourceErrors.has(error.code)) throw error;
        if (json === true) out.write(jsonLine({ error: { code: error.code, message: error.message } }));
        else err.write(`${err.paint('red', 'not built')}: ${printable(error.message)}\n`);
        finish(exitStatus.negative);
      }
    });
}

/** Describes a built plug-in. */
export function describeBuild({ file, bytes, digest, durationMs }: Built): string {
  const seconds = (durationMs / 1_000).toFixed(1);
  return `built ${relative('.', file)}: ${bytes} bytes, vetted, ${seconds} s\nsha256 ${digest}\n`;
}
