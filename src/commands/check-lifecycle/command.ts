import { randomInt } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import type { HandlerConfig, Route } from '../../runtime/config/config.js';
import { loadConfig } from '../../runtime/config/load.js';
import { createRouter } from '../../runtime/dispatch/router.js';
import { HookvisorError } from '../../contract/errors.js';
import type { HookEvent } from '../../contract/event.js';
import { catalog, grantNames } from '../../runtime/libvirt/catalog.js';
import { checkLifecycle } from './check.js';
import { readSamples } from './samples.js';
import { createRunnerPool } from '../replay/runner-pool.js';
import { pluginConfig, substituted } from '../replay/load-handlers.js';
import { jsonLine } from '../../contract/text.js';
import { lifecycleJson, lifecycleText } from './check-lifecycle-text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { createProgress } from '../terminal/progress.js';
import { readSettings } from '../settings-option.js';

interface LifecycleOptions {
  readonly settings?: string;
  readonly config?: string;
  readonly handler?: string;
  readonly events?: readonly string[];
  readonly grant?: readonly string[];
  readonly fuel?: number;
  readonly runs: number;
  readonly seed?: number;
  readonly json?: true;
}

/** Implements `hookvisor check-lifecycle`: runs generated guest and network life cycles until a plug-in misbehaves. */
export function checkLifecycleCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('check-lifecycle', 'test a plug-in with generated guest and network life cycles', [
    'hookvisor check-lifecycle build/naming.wasm',
    `hookvisor check-lifecycle build/quota.wasm --settings '{ "maxVcpus": 4 }' --events prepare,migrate,restore`,
    'hookvisor check-lifecycle build/naming.wasm --config hookvisor.yaml --handler naming   # its settings and routes',
    'hookvisor check-lifecycle build/naming.wasm --seed 1234567   # the same sequences again',
  ])
    .argument('<file>', 'the plug-in, a .wasm file')
    .option('--settings <json>', 'settings of the plug-in: JSON, or a JSON or YAML file')
    .option(
      '-c, --config <file>',
      'use the settings, limits, grants and routes of a configured handler; requires --handler',
    )
    .option('--handler <name>', 'the handler in the configuration')
    .option('--events <list>', 'call the plug-in for these operations only, separated by commas', eventsOption)
    .option('--grant <list>', 'grants of the plug-in, separated by commas: deny-reconnect, …', grantOption)
    .option('--fuel <n>', 'maximum fuel per event', numberOption(1))
    .option('--runs <n>', 'number of sequences', numberOption(1), 50)
    .option('--seed <n>', 'seed of an earlier run (default: random)', numberOption(0))
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: LifecycleOptions) => {
      const seed = options.seed ?? randomInt(2 ** 31);
      const { config, isAsked } = await subjectOf(file, options);
      const samples = await readSamples();
      await using pool = createRunnerPool();
      const asked = { config, handler: await pool.load(config) };
      const progress = createProgress(terminal.err, { what: 'sequences', quiet: options.json === true });
      const result = await checkLifecycle({
        subject: { asked, isAsked, samples },
        seed,
        runs: options.runs,
        concurrency: pool.concurrency,
        onProgress: progress.at,
      });
      progress.end();
      if (options.json === true) terminal.out.write(jsonLine(lifecycleJson(result)));
      else terminal.out.write(lifecycleText(result, { file, out: terminal.out }));
      finish(result.failing === null ? exitStatus.success : exitStatus.negative);
    });
}

interface SubjectOf {
  readonly config: HandlerConfig;
  readonly isAsked: (event: HookEvent) => boolean;
}

async function subjectOf(file: string, options: LifecycleOptions): Promise<SubjectOf> {
  const { config: configFile, handler, events, grant } = options;
  if ((configFile === undefined) !== (handler === undefined)) {
    throw new HookvisorError(
      'usage',
      `Cannot use '--config' or '--handler' alone: together they name one handler; specify both`,
    );
  }
  const settings = options.settings === undefined ? null : await readSettings(options.settings);
  const byEvent = (event: HookEvent): boolean => events?.includes(event.event) ?? true;
  const limited = (config: HandlerConfig): HandlerConfig => ({
    ...config,
    limits: { ...config.limits, fuel: options.fuel ?? config.limits.fuel },
    grants: new Set([...config.grants, ...(grant ?? [])]),
  });
  if (configFile === undefined || handler === undefined) {
    return { config: limited(await pluginConfig(file, settings ?? '{}')), isAsked: byEvent };
  }
  const loaded = await loadConfig(configFile);
  const config = await substituted(loaded, { handler, plugin: file, ...(settings !== null && { settings }) });
  const routed = routesTo(loaded.routes, handler);
  return { config: limited(config), isAsked: (event) => byEvent(event) && routed(event) };
}

/** Returns a function that tells whether an event is routed to a handler. */
function routesTo(routes: readonly Route[], handler: string): (event: HookEvent) => boolean {
  const own = routes.filter(({ handlers }) => handlers.includes(handler));
  const route = createRouter({
    routes: own.map(({ match }) => ({ match, handlers: [handler] })),
    handlers: new Map([[handler, handler]]),
  });
  return (event) => route(event).length > 0;
}

function eventsOption(text: string): string[] {
  return knownWords(text, [...new Set(catalog.map(({ event }) => event))]);
}

function grantOption(text: string): string[] {
  return knownWords(text, grantNames);
}

function knownWords(text: string, known: readonly string[]): string[] {
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !known.includes(word));
  if (unknown === undefined) return words;
  throw new InvalidArgumentError(`'${unknown}' is not one of ${known.join(', ')}.`);
}

function numberOption(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/u.test(text) || number < least || number > 2 ** 32) {
      throw new InvalidArgumentError(`Expected a whole number, at least ${least}.`);
    }
    return number;
  };
}
