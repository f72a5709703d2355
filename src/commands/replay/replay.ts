import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../../runtime/config/config.js';
import { defaultConfigFile } from '../../runtime/config/defaults.js';
import { loadConfig } from '../../runtime/config/load.js';
import { HookvisorError } from '../../contract/errors.js';
import { createRunnerPool, type RunnerPool } from './runner-pool.js';
import { loadPlugins, substituted } from './load-handlers.js';
import { checkSource } from './check-source.js';
import { readSource } from './recorded-call.js';
import { replayConfig } from './replay-config.js';
import { type Replay, replayExactly, replayHandler } from './replay-handlers.js';
import { runReplay } from './run-replay.js';
import type { Tally } from './tally.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, type ExitStatus, newCommand } from '../command.js';
import { createProgress } from '../terminal/progress.js';
import { replayJson, replayText } from './replay-text.js';
import { readSettings } from '../settings-option.js';
import type { Terminal } from '../terminal/terminal.js';

interface ReplayOptions {
  readonly config?: string;
  readonly handler?: string;
  readonly plugin?: string;
  readonly settings?: string;
  readonly exact?: true;
  readonly failOnFlip?: true;
  readonly limit: number;
  readonly json?: true;
}

/** Implements `hookvisor replay`: what another plug-in, other settings or another configuration would have decided. */
export function replayCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('replay', 'decide recorded events again and show what would change', [
    'hookvisor replay /var/log/hookvisor --handler naming --plugin build/naming.wasm',
    `hookvisor replay /var/log/hookvisor --handler quota --settings '{ "maxVcpus": 4 }'`,
    'hookvisor replay /var/log/hookvisor --config next.yaml --fail-on-flip',
    'hookvisor replay /var/log/hookvisor --exact   # unchanged plug-ins must reproduce every detail',
    'hookvisor replay captured.jsonl --handler naming --plugin build/naming.wasm',
  ])
    .argument('<source>', 'a journal folder, or a file of captured calls: one {"driver", "argv", "stdin"} per line')
    .option('-c, --config <file>', `the configuration file to replay with (default: ${defaultConfigFile})`)
    .option('--handler <name>', 'replay only this handler')
    .option('--plugin <file>', 'use this plug-in for the handler; requires --handler')
    .option('--settings <json>', 'use these settings for the handler: JSON, or a JSON or YAML file; requires --handler')
    .option('--exact', 'require identical outcome, reason, failure, fuel and logs from unchanged plug-ins')
    .option('--fail-on-flip', 'exit with 1 when a verdict flips or a new failure occurs')
    .option('--limit <n>', 'maximum number of changes to show; the counts cover all', limitOption, 20)
    .option('--json', 'print the result as JSON')
    .action(async (source: string, options: ReplayOptions) => {
      assertPossible(options);
      const began = performance.now();
      const config = await configFor(options);
      await checkSource(source);
      await using pool = createRunnerPool();
      const replay = await replayFor(options, config, pool);
      const progress = createProgress(terminal.err, { what: 'events', quiet: options.json === true });
      const { concurrency } = pool;
      const exact = options.exact === true;
      const tally = await runReplay({ calls: readSource(source), replay, concurrency, exact, onProgress: progress.at });
      progress.end();
      const seconds = (performance.now() - began) / 1_000;
      if (options.json === true) terminal.out.write(jsonLine(replayJson(tally, { exact, seconds })));
      else print(tally, { options, exact, seconds, terminal });
      finish(statusOf(tally, options));
    });
}

function print(
  tally: Tally,
  how: { options: ReplayOptions; exact: boolean; seconds: number; terminal: Terminal },
): void {
  const { options, exact, seconds, terminal } = how;
  terminal.out.write(replayText(tally, { exact, seconds, limit: options.limit, out: terminal.out }));
}

function statusOf(tally: Tally, { exact, failOnFlip }: ReplayOptions): ExitStatus {
  const flipped = tally.flips + tally.newFailures + (tally.decidedNow['failure'] ?? 0) > 0;
  const negative = exact === true ? tally.differing > 0 : failOnFlip === true && flipped;
  return negative ? exitStatus.negative : exitStatus.success;
}

function assertPossible({ handler, plugin, settings, exact }: ReplayOptions): void {
  if (handler === undefined && (plugin !== undefined || settings !== undefined)) {
    const option = plugin === undefined ? '--settings' : '--plugin';
    throw new HookvisorError(
      'usage',
      `Cannot use '${option}' alone: it applies to one handler; specify it with --handler`,
    );
  }
  if (exact === true && (handler !== undefined || plugin !== undefined)) {
    throw new HookvisorError(
      'usage',
      `Cannot combine '--exact' with --handler or --plugin: it compares unchanged plug-ins; specify only the configuration`,
    );
  }
}

/** Loads the configuration, which is optional only when a plug-in is given. */
async function configFor({ config, plugin }: ReplayOptions): Promise<Config | null> {
  if (config !== undefined || plugin === undefined) return loadConfig(config ?? defaultConfigFile);
  try {
    return await loadConfig(defaultConfigFile);
  } catch (error) {
    if (error instanceof HookvisorError && error.code === 'config-unreadable') return null;
    throw error;
  }
}

async function replayFor(options: ReplayOptions, config: Config | null, pool: RunnerPool): Promise<Replay> {
  const { handler: name, plugin, settings } = options;
  if (name !== undefined) {
    const given = settings === undefined ? null : await readSettings(settings);
    const substitute = {
      handler: name,
      ...(plugin !== undefined && { plugin }),
      ...(given !== null && { settings: given }),
    };
    const asked = await substituted(config, substitute);
    const configured = config?.handlers.get(name) ?? null;
    const changed = plugin !== undefined || given !== null;
    const baseline = configured === null || configured.backend === 'script' || !changed ? null : configured;
    return replayHandler(
      { config: asked, handler: await pool.load(asked) },
      baseline === null ? null : { config: baseline, handler: await pool.load(baseline) },
    );
  }
  if (config === null)
    throw new HookvisorError('usage', `Cannot replay: there is no configuration; specify one with --config`);
  const plugins = await loadPlugins(config, pool);
  return options.exact === true ? replayExactly(plugins) : replayConfig(config, plugins);
}

function limitOption(text: string): number {
  if (!/^\d{1,6}$/u.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
