import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../../runtime/config/config.js';
import { defaultConfigFile } from '../../runtime/config/defaults.js';
import { loadConfig } from '../../runtime/config/load.js';
import { parseAge } from '../../runtime/config/units.js';
import { mostTrialMs } from '../../contract/protocol.js';
import { askRuntime } from '../remote.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { bounds } from '../../contract/limits.js';
import { installPlugin } from './install-plugin.js';
import { createRunnerPool } from './runner-pool.js';
import { substituted } from './load-handlers.js';
import { lastCalls } from './recorded-call.js';
import { replayHandler } from './replay-handlers.js';
import { runReplay } from './run-replay.js';
import type { Tally } from './tally.js';
import { readBounded } from '../../runtime/plugins/read-bounded.js';
import { sizeObjection } from '../../contract/size-objection.js';
import { confirm } from '../terminal/confirm.js';
import { type CommandContext, exitStatus, type ExitStatus, newCommand } from '../command.js';
import { createProgress } from '../terminal/progress.js';
import { pluginInForce, runTrial } from './promote-trial.js';
import { replayText } from './replay-text.js';
import type { Terminal } from '../terminal/terminal.js';

interface PromoteOptions {
  readonly config: string;
  readonly socket?: string;
  readonly last: number;
  readonly monitorFor?: number;
  readonly failOnFlip?: true;
  readonly yes?: true;
}

/** Loading a plug-in may take seconds on a busy host. */
const timeoutMs = 180_000;

/** Implements `hookvisor promote`: replaces the plug-in of a handler, after replaying recorded events through it. */
export function promoteCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('promote', 'replay recent events through a new plug-in, then activate it', [
    'hookvisor promote naming build/naming.wasm',
    'hookvisor promote naming build/naming.wasm --monitor-for 24h',
    'hookvisor promote naming build/naming.wasm --yes --fail-on-flip   # from a script',
  ])
    .argument('<handler>', 'the handler whose plug-in to replace')
    .argument('<file>', 'the new plug-in, a .wasm file')
    .option('-c, --config <file>', 'the configuration file of the runtime', defaultConfigFile)
    .option('--socket <path>', 'the socket of the runtime (default: from the configuration)')
    .option('--last <n>', 'replay the last n events of the handler', countOption, 1_000)
    .option(
      '--monitor-for <time>',
      'first run it in monitor mode alongside the old plug-in for this long: 30m, 24h, 7d',
      trialOption,
    )
    .option('--fail-on-flip', 'do not promote, and exit with 1, when a verdict flips or a new failure occurs')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (handler: string, file: string, options: PromoteOptions) => {
      finish(await promote({ handler, file: resolve(file), options, terminal }));
    });
}

interface Wanted {
  readonly handler: string;
  readonly file: string;
  readonly options: PromoteOptions;
  readonly terminal: Terminal;
}

async function promote({ handler, file, options, terminal }: Wanted): Promise<ExitStatus> {
  const config = await loadConfig(options.config);
  const socket = options.socket ?? config.socket;
  const bytes = await readPlugin(config, { handler, file, options, terminal });
  const to = createHash('sha256').update(bytes).digest('hex');
  const from = await pluginInForce(socket, handler);
  if (from === to) {
    terminal.out.write(`handler '${handler}' already uses this plug-in\n`);
    return exitStatus.success;
  }
  const tally = await replayed(config, { handler, file, options, terminal });
  const flipped = tally.flips + tally.newFailures > 0;
  if (flipped && options.failOnFlip === true) {
    terminal.err.write(`not promoted: see the changes above; without --fail-on-flip you are asked\n`);
    return exitStatus.negative;
  }
  const question = options.monitorFor === undefined ? `Activate it as '${handler}'?` : `Start the trial?`;
  if (options.yes !== true && !(await confirm(question, terminal))) {
    terminal.err.write('not promoted\n');
    return exitStatus.negative;
  }
  const promotion = { handler, from, to };
  if (options.monitorFor !== undefined) {
    const passed = await runTrial({ config, socket, promotion, bytes, durationMs: options.monitorFor, terminal });
    if (!passed) return exitStatus.negative;
  }
  const installed = await installPlugin(config, handler, bytes);
  try {
    await askRuntime({ socket, command: { command: 'promote', ...promotion }, timeoutMs });
  } catch (error) {
    // The old plug-in stays active, so the next start must find it.
    await installed.undo();
    throw error;
  }
  terminal.out.write(`promoted: '${handler}' now runs sha256 ${to}\n`);
  for (const one of installed.written) terminal.out.write(`written: ${one}\n`);
  return exitStatus.success;
}

/** Prints how the plug-in would have decided the last events of the handler. */
async function replayed(config: Config, { handler, file, options, terminal }: Wanted): Promise<Tally> {
  const began = performance.now();
  const asked = await substituted(config, { handler, plugin: file });
  const current = config.handlers.get(handler);
  if (current?.backend !== asked.backend) {
    throw new HookvisorError(
      'usage',
      `Cannot promote '${file}': it needs the backend '${asked.backend}', but handler '${handler}' uses ` +
        `'${current?.backend ?? 'none'}'; change the configuration, then 'hookvisor reload'`,
    );
  }
  await using pool = createRunnerPool();
  const replay = replayHandler({ config: asked, handler: await pool.load(asked) }, null);
  const calls = config.journal === null ? [] : await lastCalls(config.journal.dir, handler, options.last);
  const progress = createProgress(terminal.err, { what: 'events', quiet: false });
  const { concurrency } = pool;
  const tally = await runReplay({ calls, replay, concurrency, onProgress: progress.at });
  progress.end();
  const seconds = (performance.now() - began) / 1_000;
  terminal.out.write(replayText(tally, { exact: false, seconds, limit: 20, out: terminal.out }));
  return tally;
}

async function readPlugin(config: Config, { handler, file }: Wanted): Promise<Buffer> {
  const fail = (what: string, cause?: unknown): HookvisorError =>
    new HookvisorError('plugin-unreadable', `Cannot read the plug-in '${file}': ${what}`, {
      ...(cause === undefined ? {} : { cause }),
    });
  // The runtime reports an unknown handler with a better message.
  const most = config.handlers.get(handler)?.pluginBytes ?? bounds.pluginBytes;
  const read = await readBounded(file, most).catch((error: unknown) => {
    throw fail(messageOf(error), error);
  });
  if (read.found === 'file') return read.bytes;
  if (read.found !== 'too-large') throw fail('it is not a regular file; specify a .wasm file');
  const { code, message, fields } = sizeObjection(read.size, most);
  throw new HookvisorError(code, `Cannot promote '${file}' as '${handler}': ${message}`, { fields });
}

function countOption(text: string): number {
  if (!/^\d{1,7}$/u.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

function trialOption(text: string): number {
  const parsed = parseAge(text);
  if ('value' in parsed && parsed.value > 0 && parsed.value <= mostTrialMs) return parsed.value;
  throw new InvalidArgumentError('Expected a duration such as 30m, 24h or 7d, at most 24d.');
}
