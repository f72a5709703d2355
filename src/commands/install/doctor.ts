import { resolve } from 'node:path';
import type { Command } from 'commander';
import { examine } from './doctor/examine.js';
import type { Finding } from './doctor/finding.js';
import { jsonLine, oneLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import type { Style } from '../terminal/terminal.js';

interface DoctorOptions {
  readonly root: string;
  readonly config?: string;
  readonly json?: true;
}

const styles: Readonly<Record<Finding['state'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** Implements `hookvisor doctor`: what works, what does not, and how to fix it. */
export function doctorCommand({ terminal, finish }: CommandContext): Command {
  const { out } = terminal;
  return newCommand('doctor', 'check the whole installation on this host and advise how to fix it', [
    'hookvisor doctor',
    'hookvisor doctor --json',
    'hookvisor doctor --root ./image',
  ])
    .option('--root <dir>', 'check the files below this folder instead of the running system', '/')
    .option('-c, --config <file>', 'the configuration file (default: /etc/hookvisor/hookvisor.yaml)')
    .option('--json', 'print the result as JSON')
    .action(async ({ root, config, json }: DoctorOptions) => {
      const findings = await examine({ root: resolve(root), config: config ?? null });
      const failed = findings.some(({ state }) => state === 'fail');
      if (json === true) out.write(jsonLine({ healthy: !failed, findings }));
      else for (const finding of findings) out.write(lines(finding, (style, text) => out.paint(style, text)));
      finish(failed ? exitStatus.negative : exitStatus.success);
    });
}

function lines({ check, state, found, advice }: Finding, paint: (style: Style, text: string) => string): string {
  const first = `${paint(styles[state], state.padEnd(4))}  ${check}: ${oneLine(found, 800)}\n`;
  return advice === null ? first : `${first}      ${oneLine(advice, 800)}\n`;
}
