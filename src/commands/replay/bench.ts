import { type Command, InvalidArgumentError } from 'commander';
import type { HookCall } from '../../contract/event.js';
import { HookvisorError } from '../../contract/errors.js';
import { recordedCalls } from '../check-lifecycle/samples.js';
import { distributionOf } from './distribution.js';
import { pluginConfig } from './load-handlers.js';
import { measure } from './measure.js';
import { readSource } from './recorded-call.js';
import { jsonLine } from '../../contract/text.js';
import { benchText } from './bench-text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { createProgress } from '../terminal/progress.js';
import { readSettings } from '../settings-option.js';

interface BenchOptions {
  readonly events?: string;
  readonly settings?: string;
  readonly calls: number;
  readonly json?: true;
}

/** More events add no variety, and a journal may hold millions. */
const mostEvents = 10_000;

/** Implements `hookvisor bench`: what a plug-in costs. */
export function benchCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('bench', 'measure the call time, instantiation time, fuel and memory of a plug-in', [
    'hookvisor bench build/naming.wasm',
    `hookvisor bench build/quota.wasm --settings '{ "maxVcpus": 4 }' --events /var/log/hookvisor`,
    'hookvisor bench build/naming.wasm --json | jq .callMs.p99',
  ])
    .argument('<file>', 'the plug-in, a .wasm file')
    .option('--events <source>', 'a journal folder or a file of captured calls (default: recorded samples)')
    .option('--settings <json>', 'settings of the plug-in: JSON, or a JSON or YAML file')
    .option('--calls <n>', 'number of calls', callsOption, 1_000)
    .option('--json', 'print the result as JSON')
    .action(async (file: string, { events = recordedCalls, settings, calls: rounds, json }: BenchOptions) => {
      const config = await pluginConfig(file, settings === undefined ? '{}' : await readSettings(settings));
      const calls = await readCalls(events);
      const progress = createProgress(terminal.err, { what: 'calls', quiet: json === true });
      const measured = await measure({ config, calls, rounds, onProgress: progress.at });
      progress.end();
      if (json === true) {
        const { callMs, instantiationMs, fuel, ...rest } = measured;
        const distributions = {
          callMs: distributionOf(callMs),
          instantiationMs: distributionOf(instantiationMs),
          fuel: distributionOf(fuel),
        };
        terminal.out.write(jsonLine({ file: config.source, events: calls.length, ...rest, ...distributions }));
      } else terminal.out.write(benchText(measured, { file, events: calls.length, out: terminal.out }));
      finish(exitStatus.success);
    });
}

async function readCalls(source: string): Promise<HookCall[]> {
  const calls: HookCall[] = [];
  for await (const { call } of readSource(source)) {
    calls.push(call);
    if (calls.length === mostEvents) break;
  }
  if (calls.length > 0) return calls;
  throw new HookvisorError('usage', `Cannot measure with '${source}': it contains no events; specify another source`);
}

function callsOption(text: string): number {
  const calls = Number(text);
  if (!/^\d+$/u.test(text) || calls < 1 || calls > 1_000_000) {
    throw new InvalidArgumentError('Expected a whole number from 1 to 1000000.');
  }
  return calls;
}
