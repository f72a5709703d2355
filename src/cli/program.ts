import { Command, CommanderError } from 'commander';
import { version } from '../version.js';
import { benchCommand } from './bench.js';
import { buildCommand } from './build.js';
import { checkCommand } from './check.js';
import { checkLifecycleCommand } from './check-lifecycle.js';
import { type CommandContext, type ExitStatus, exitStatus, reportError } from './command.js';
import { completionCommand } from './completion.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { emitCommand } from './emit.js';
import { journalCommand } from './journal.js';
import { newProjectCommand } from './new.js';
import { installCommand } from './install.js';
import { promoteCommand } from './promote.js';
import { reloadCommand } from './reload.js';
import { replayCommand } from './replay.js';
import { serveCommand } from './serve.js';
import { statusCommand } from './status.js';
import type { Terminal } from './terminal.js';
import { uninstallCommand } from './uninstall.js';
import { testCommand } from './test.js';
import { vetCommand } from './vet.js';

/** Runs one command line and gives its exit status: 0 success, 1 a negative answer, 2 a usage or other error. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.success;
  const context: CommandContext = {
    terminal,
    finish: (finished) => {
      status = finished;
    },
  };
  const program = new Command('hookvisor')
    .description('Decides what happens when libvirt is about to do something, with plugins in a sandbox and scripts')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for the options and examples)');
  const commands = [
    serveCommand,
    emitCommand,
    installCommand,
    uninstallCommand,
    doctorCommand,
    checkCommand,
    reloadCommand,
    statusCommand,
    journalCommand,
    replayCommand,
    promoteCommand,
    newProjectCommand,
    buildCommand,
    testCommand,
    vetCommand,
    benchCommand,
    checkLifecycleCommand,
    demoCommand,
  ];
  for (const make of commands) program.addCommand(make(context));
  program.addCommand(completionCommand(context, program));
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands: inner }) => inner)]) {
    command.exitOverride().configureOutput({
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
