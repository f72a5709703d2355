import { statSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../../runtime/config/config.js';
import { defaultConfigFile } from '../../runtime/config/defaults.js';
import { examineConfig } from '../../runtime/config/load.js';
import { createEngine } from '../../runtime/engine.js';
import { configDistrust } from '../../runtime/require-trusted.js';
import { type ErrorCode, HookvisorError } from '../../contract/errors.js';
import { distrustError } from '../../runtime/files/distrust.js';
import { createPathTrust, type PathTrust } from '../../runtime/files/path-trust.js';
import { readGroups } from '../../runtime/files/accounts.js';
import { shellQuote } from '../../runtime/files/shell-quote.js';
import { hostDistrust } from '../install/host-distrust.js';
import { createLog } from '../../runtime/log.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { table } from '../terminal/table.js';

interface CheckOptions {
  readonly config: string;
  readonly json?: true;
}

/** Codes that are a negative answer rather than a failure of the command. */
const negative: readonly ErrorCode[] = ['config-invalid', 'untrusted'];

/** Implements `hookvisor check`: does everything that `serve` does before it accepts requests, then exits. */
export function checkCommand({ terminal, finish }: CommandContext): Command {
  const { out, err } = terminal;
  return newCommand('check', 'check a configuration: every value, plug-in and setting', [
    'hookvisor check',
    'hookvisor check --config ./hookvisor.yaml --json',
  ])
    .option('-c, --config <file>', 'the configuration file', defaultConfigFile)
    .option('--json', 'print the result as JSON')
    .action(async ({ config: file, json }: CheckOptions) => {
      try {
        const { config, trust } = await loadTrusted(file);
        if (json !== true && err.columns !== null) err.write(`loading ${config.handlers.size} handlers…\n`);
        await using engine = await createEngine(config, createLog(err), { trust });
        const { handlers } = engine.status();
        const doubts = [...config.doubts, ...unreadable(config)];
        if (json === true) {
          out.write(jsonLine({ valid: true, config: config.file, handlers, routes: config.routes.length, doubts }));
        } else {
          out.write(describe(config));
          for (const doubt of doubts) err.write(`${err.paint('yellow', 'warning')}: ${doubt}\n`);
          out.write(`${out.paint('green', 'valid')}: ${config.file}\n`);
        }
        finish(exitStatus.success);
      } catch (error) {
        if (!(error instanceof HookvisorError) || !negative.includes(error.code)) throw error;
        const problems = error.message.split('\n').slice(1);
        if (json === true) out.write(jsonLine({ valid: false, config: file, problems }));
        else err.write(`${err.paint('red', 'not valid')}: ${error.message}\n`);
        finish(exitStatus.negative);
      }
    });
}

/**
 * Reads a configuration. Throws HookvisorError `untrusted`, which lists everything that other users can change,
 * including the configuration itself and what the client reads.
 */
async function loadTrusted(file: string): Promise<{ config: Config; trust: PathTrust }> {
  const trust = createPathTrust();
  const { config, distrust } = await examineConfig(file, trust);
  const found = [
    ...distrust.map((one) => ({ use: 'configuration', distrust: one })),
    ...(await configDistrust(config, trust)),
    ...(await hostDistrust(trust)),
  ];
  if (found.length > 0) throw distrustError(`use '${file}'`, found);
  return { config, trust };
}

function describe(config: Config): string {
  const rows = [...config.handlers.values()].map((one) => {
    const { failurePolicy } = one;
    const onFailure = failurePolicy.policy === 'fallback' ? `fallback ${failurePolicy.handler}` : failurePolicy.policy;
    const grants = [...one.grants].join(' ');
    return [one.name, one.backend, one.mode, one.trust, onFailure, grants === '' ? '-' : grants, one.source];
  });
  const recorded = config.journal === null ? 'and not recorded' : 'and recorded in the journal';
  if (rows.length === 0) return `no handlers: every event is allowed ${recorded}\n`;
  return table(['HANDLER', 'BACKEND', 'MODE', 'TRUST', 'ON FAILURE', 'GRANTS', 'SOURCE'], rows);
}

/** Returns a warning if the group that may look cannot read the configuration, which it needs to check it. */
function unreadable({ file, readers }: Config): string[] {
  const group = readGroups().find(({ name }) => name === readers);
  if (readers === null || group === undefined) return [];
  const { mode, gid } = statSync(file);
  if ((mode & 0o004) !== 0 || ((mode & 0o040) !== 0 && gid === group.gid)) return [];
  const path = shellQuote(file);
  return [`socket.group: '${readers}' cannot read this file; run: chgrp ${readers} ${path} && chmod 640 ${path}`];
}
