import type { Command } from 'commander';
import { applySteps } from './apply.js';
import { requireTrustedHost } from './require-trusted-host.js';
import { isDone } from './step.js';
import { describeStep } from './step.js';
import { planUninstall } from './uninstall-plan.js';
import { jsonLine, oneLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { hasSystemd, rootOf, systemctl } from './install.js';

interface UninstallOptions {
  readonly root: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Implements `hookvisor uninstall`: removes what `install` wrote and restores adopted hooks. */
export function uninstallCommand({ terminal, finish }: CommandContext): Command {
  const { out } = terminal;
  return newCommand('uninstall', "remove what 'install' wrote and restore adopted hooks", [
    'hookvisor uninstall --dry-run',
    'hookvisor uninstall',
  ])
    .option('--root <dir>', 'uninstall from this folder instead of the running system', '/')
    .option('--dry-run', 'only print what would be done')
    .option('--json', 'print the result as JSON')
    .action(async (options: UninstallOptions) => {
      const root = rootOf(options);
      if (root === '/') await requireTrustedHost('uninstall');
      const plan = planUninstall(root);
      const steps = [...plan.hooks, ...plan.rest].filter((step) => !isDone(root, step)).map(describeStep);
      if (options.dryRun !== true && steps.length > 0) {
        applySteps(root, plan.hooks);
        const managed = root === '/' && hasSystemd();
        if (managed) systemctl('disable', '--now', 'hookvisor.service', 'hookvisor.socket');
        applySteps(root, plan.rest);
        if (managed) systemctl('daemon-reload');
      }
      const { notes } = plan;
      if (options.json === true) {
        out.write(jsonLine({ done: options.dryRun !== true, root, steps, notes }));
      } else {
        out.write(steps.length === 0 ? 'nothing to do: nothing is installed\n' : `${steps.join('\n')}\n`);
        for (const note of notes) out.write(`note: ${oneLine(note, 600)}\n`);
        if (options.dryRun === true) out.write('nothing was changed (--dry-run)\n');
      }
      finish(exitStatus.success);
    });
}
