import { Command, CommanderError } from 'commander';
import { version } from '../runtime/version.js';
import { type CommandContext, type ExitStatus, exitStatus, reportError } from './command.js';
import { loadCommands } from './commands.js';
import { completionCommand } from './completion.js';
import type { Terminal } from './terminal/terminal.js';

/** Runs one command line. Returns its exit status: 0 success, 1 a negative answer, 2 a usage or other error. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.success;
  const context: CommandContext = {
    terminal,
    finish: (finished) => {
      status = finished;
    },
  };
  const program = new Command('hookvisor')
    .description(
      'Answers libvirt hooks with untrusted WebAssembly plug-ins in a sandbox, alongside your existing hook scripts',
    )
    .version(version)
    .enablePositionalOptions();
  for (const make of await loadCommands(args[0])) program.addCommand(make(context));
  program.addCommand(completionCommand(context, program));
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands: inner }) => inner)]) {
    command
      .showHelpAfterError('(use --help for options and examples)')
      .exitOverride()
      .configureOutput({
        writeOut: (text) => {
          terminal.out.write(text);
        },
        writeErr: (text) => {
          terminal.err.write(text);
        },
      });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.success : exitStatus.error;
    reportError(error, { terminal, json: args.includes('--json') });
    return exitStatus.error;
  }
}
