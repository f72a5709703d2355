import type { Command } from 'commander';
import { defaultSocket } from '../../runtime/config/defaults.js';
import { askRuntime } from '../remote.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';

interface ReloadOptions {
  readonly socket: string;
  readonly json?: true;
}

/** Timeout of a reload in milliseconds: admitting new plug-ins takes seconds. */
const timeoutMs = 180_000;

/** Implements `hookvisor reload`: the runtime applies its configuration, or keeps the active one and reports why. */
export function reloadCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('reload', 'make the runtime reload its configuration; keeps the active one on errors', [
    'hookvisor reload',
    'hookvisor check && hookvisor reload',
  ])
    .option('--socket <path>', 'the socket of the runtime', defaultSocket)
    .option('--json', 'print the result as JSON')
    .action(async ({ socket, json }: ReloadOptions) => {
      if (json !== true && terminal.err.columns !== null) terminal.err.write('loading the configuration…\n');
      const { head } = await askRuntime({ socket, command: { command: 'reload' }, timeoutMs });
      if (json === true) terminal.out.write(jsonLine(head));
      else terminal.out.write('the new configuration is active\n');
      finish(exitStatus.success);
    });
}
