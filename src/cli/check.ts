import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import { defaultConfigFile } from '../config/defaults.js';
import { loadConfig } from '../config/load.js';
import { createEngine } from '../daemon/engine.js';
import { HookvisorError } from '../errors.js';
import { createLog } from '../log.js';
import { jsonLine } from '../text.js';
import { type CommandContext, exitStatus, newCommand } from './command.js';
import { table } from './table.js';

interface CheckOptions {
  readonly config: string;
  readonly json?: true;
}

/** `hookvisor check`: everything that `serve` would do before it answers, and then nothing. */
export function checkCommand({ terminal, finish }: CommandContext): Command {
  const { out, err } = terminal;
  return newCommand('check', 'check a configuration: every value, every plugin, every setting', [
    'hookvisor check',
    'hookvisor check --config ./hookvisor.yaml --json',
  ])
    .option('-c, --config <file>', 'the configuration', defaultConfigFile)
    .option('--json', 'print the result as JSON')
    .action(async ({ config: file, json }: CheckOptions) => {
      try {
        const config = await loadConfig(file);
        if (json !== true && err.columns !== null) err.write(`loading ${config.handlers.size} handlers…\n`);
        await using engine = await createEngine(config, createLog(err));
        const { handlers } = engine.status();
        const { doubts } = config;
        if (json === true) {
          out.write(jsonLine({ valid: true, config: config.file, handlers, routes: config.routes.length, doubts }));
        } else {
          out.write(describe(config));
          for (const doubt of doubts) err.write(`${err.paint('yellow', 'doubtful')}: ${doubt}\n`);
          out.write(`${out.paint('green', 'valid')}: ${config.file}\n`);
        }
        finish(exitStatus.success);
      } catch (error) {
        if (!(error instanceof HookvisorError) || error.code !== 'config-invalid') throw error;
        const problems = error.message.split('\n').slice(1);
        if (json === true) out.write(jsonLine({ valid: false, config: file, problems }));
        else err.write(`${err.paint('red', 'not valid')}: ${error.message}\n`);
        finish(exitStatus.negative);
      }
    });
}

function describe(config: Config): string {
  const rows = [...config.handlers.values()].map((one) => {
    const { failurePolicy } = one;
    const onFailure = failurePolicy.policy === 'fallback' ? `fallback ${failurePolicy.handler}` : failurePolicy.policy;
    const grants = [...one.grants].join(' ');
    return [one.name, one.backend, one.mode, one.trust, onFailure, grants === '' ? '-' : grants, one.source];
  });
  if (rows.length === 0) return 'no handlers: everything is allowed, and journaled\n';
  return table(['HANDLER', 'BACKEND', 'MODE', 'TRUST', 'ON FAILURE', 'GRANTS', 'SOURCE'], rows);
}
