import { type Command, InvalidArgumentError } from 'commander';
import type { Config, Json } from '../config/config.js';
import { defaultConfigFile } from '../config/defaults.js';
import { loadConfig } from '../config/load.js';
import { HookvisorError } from '../errors.js';
import { createRunnerPool, type RunnerPool } from '../replay/runner-pool.js';
import { loadPlugins, substituted } from '../replay/load-handlers.js';
import { checkSource } from '../replay/check-source.js';
import { readSource } from '../replay/recorded-call.js';
import { replayConfig } from '../replay/replay-config.js';
import { type Replay, replayExactly, replayHandler } from '../replay/replay-handlers.js';
import { runReplay } from '../replay/run-replay.js';
import type { Tally } from '../replay/tally.js';
import { jsonLine } from '../text.js';
import { type CommandContext, exitStatus, type ExitStatus, newCommand } from './command.js';
import { createProgress } from './progress.js';
import { replayJson, replayText } from './replay-text.js';
import { readSettings } from './settings-option.js';
import type { Terminal } from './terminal.js';

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

/** `hookvisor replay`: what another plug-in, other settings or another configuration would have decided. */
export function replayCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('replay', 'decide recorded events again and show what would have changed', [
    'hookvisor replay /var/log/hookvisor --handler naming --plugin build/naming.wasm',
    `hookvisor replay /var/log/hookvisor --handler quota --settings '{ "maxVcpus": 4 }'`,
    'hookvisor replay /var/log/hookvisor --config next.yaml --fail-on-flip',
    'hookvisor replay /var/log/hookvisor --exact   # what has not changed says the same, to the last digit',
    'hookvisor replay captured.jsonl --handler naming --plugin build/naming.wasm',
  ])
    .argument('<source>', 'the folder of a journal, or a file of captured calls: {"driver", "argv", "stdin"} in a line')
    .option('-c, --config <file>', `the configuration to replay through (default: ${defaultConfigFile})`)
    .option('--handler <name>', 'ask only this handler')
    .option('--plugin <file>', "this plug-in in the handler's place")
    .option('--settings <json>', "settings in the place of the handler's: JSON, or a file of JSON or YAML")
    .option('--exact', 'compare outcome, reason, failure, fuel and logs of all that has not changed since')
    .option('--fail-on-flip', 'exit with 1 when an answer flips or a handler fails that did not')
    .option('--limit <n>', 'show so many changes; the counts are of all', limitOption, 20)
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
    throw new HookvisorError('usage', `Cannot use '${option}' alone: it is for one handler; name that with --handler`);
  }
  if (exact === true && (handler !== undefined || plugin !== undefined)) {
    throw new HookvisorError(
      'usage',
      `Cannot combine '--exact' with --handler: it compares what has not changed; name the configuration alone`,
    );
  }
}

/** The configuration is only optional where a plug-in is named. */
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
    const given: Readonly<Record<string, Json>> | null = settings === undefined ? null : await readSettings(settings);
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
  if (config === null) throw new HookvisorError('usage', `Cannot replay: no configuration; name one with --config`);
  const plugins = await loadPlugins(config, pool);
  return options.exact === true ? replayExactly(plugins) : replayConfig(config, plugins);
}

function limitOption(text: string): number {
  if (!/^\d{1,6}$/u.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
