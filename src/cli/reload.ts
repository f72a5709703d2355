import type { Command } from 'commander';
import { defaultSocket } from '../config/defaults.js';
import { askRuntime } from '../daemon/remote.js';
import { jsonLine } from '../text.js';
import { type CommandContext, exitStatus, newCommand } from './command.js';

interface ReloadOptions {
  readonly socket: string;
  readonly json?: true;
}

/** How long a reload may take, milliseconds: admitting new plug-ins costs seconds. */
const timeoutMs = 180_000;

/** `hookvisor reload`: the running runtime takes its configuration anew, or keeps the old one and says why. */
export function reloadCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('reload', 'let the running runtime take its configuration anew, or keep the old one and say why', [
    'hookvisor reload',
    'hookvisor check && hookvisor reload',
  ])
    .option('--socket <path>', "the runtime's socket", defaultSocket)
    .option('--json', 'print the result as JSON')
    .action(async ({ socket, json }: ReloadOptions) => {
      if (json !== true && terminal.err.columns !== null) terminal.err.write('loading the configuration…\n');
      const { head } = await askRuntime({ socket, command: { command: 'reload' }, timeoutMs });
      if (json === true) terminal.out.write(jsonLine(head));
      else terminal.out.write('the new configuration is in force\n');
      finish(exitStatus.success);
    });
}
