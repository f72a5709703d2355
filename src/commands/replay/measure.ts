import type { HandlerConfig } from '../../runtime/config/config.js';
import { HookvisorError } from '../../contract/errors.js';
import type { HookCall } from '../../contract/event.js';
import { createAdmission } from '../../runtime/plugins/admission.js';
import { encodeArtefact } from '../../contract/artefact-codec.js';
import { createLauncher } from '../../runtime/isolation/launcher.js';
import type { RunnerReply, RunnerRequest } from '../../contract/messages.js';
import { readPluginFile } from '../../runtime/plugins/plugin-file.js';
import { type Runner, startRunner } from '../../runtime/supervision/runner.js';

/** The cost of a plug-in; times in milliseconds. */
export interface Measurement {
  readonly digest: string;
  readonly bytes: number;
  /** Vetting, hardening and ahead-of-time compilation, once per plug-in: the result is cached. */
  readonly admissionMs: number;
  /** Compilation in a runner, once per process. */
  readonly loadMs: number;
  /** Instantiation in the runner, which happens ahead of the event. */
  readonly instantiationMs: readonly number[];
  /** From request to answer with a ready instance, including the pipe. */
  readonly callMs: readonly number[];
  /** Fuel of each call that reported it. */
  readonly fuel: readonly number[];
  readonly outcomes: Readonly<Record<string, number>>;
  /** Resident memory of the runner process in bytes: empty, with the plug-in, and after the calls. */
  readonly memory: { readonly empty: number; readonly loaded: number; readonly after: number };
}

export interface MeasureOptions {
  /** The plug-in with its settings, limits and backend. */
  readonly config: HandlerConfig;
  /** Calls to repeat in turn; at least one. */
  readonly calls: readonly HookCall[];
  readonly rounds: number;
  readonly onProgress?: (rounds: number) => void;
}

const loadDeadlineMs = 60_000;

/** The first calls run uncompiled code, as only the first events after a start do. */
const warmUp = 20;

/**
 * Measures a plug-in in a separate runner with a fresh instance for each call, as the runtime does. Throws
 * HookvisorError as the runtime would when the plug-in cannot be loaded.
 */
export async function measure({ config, calls, rounds, onProgress }: MeasureOptions): Promise<Measurement> {
  const { source, backend, settings, limits, pluginBytes } = config;
  if (backend === 'script')
    throw new HookvisorError('usage', `Cannot measure '${source}': it is a script; specify a plug-in`);
  const { bytes, digest } = await readPluginFile(config);
  const launcher = createLauncher(undefined, limits.memoryBytes);
  const { result: artefact, ms: admissionMs } = await timed(async () => {
    await using admission = createAdmission(launcher);
    return await admission.admit({ backend, bytes, digest, memoryBytes: limits.memoryBytes, pluginBytes });
  });
  const runner = startRunner(launcher, () => undefined);
  try {
    const ask = asker(runner, limits.deadlineMs);
    const empty = await residentBytes(ask);
    const load = { kind: 'load', handler: 0, settings, limits } as const;
    const { ms: loadMs } = await timed(() => ask(load, encodeArtefact(artefact)));
    if (artefact.validates) assertTaken(await ask({ kind: 'validate', handler: 0 }, null), source);
    const loaded = await residentBytes(ask);
    const series = await callInTurns(ask, { calls, rounds, ...(onProgress && { onProgress }) });
    return {
      ...{ digest, bytes: bytes.length, admissionMs, loadMs },
      ...series,
      memory: { empty, loaded, after: await residentBytes(ask) },
    };
  } finally {
    await runner.end();
  }
}

type Ask = (request: RunnerRequest, tail: Buffer | null) => Promise<RunnerReply>;

/** Asks the runner. A failure that terminates the runner is an error, since nothing can be measured then. */
function asker(runner: Runner, deadlineMs: number): Ask {
  return (request, tail) =>
    new Promise((resolve, reject) => {
      const options = { tail, deadlineMs: request.kind === 'evaluate' ? deadlineMs : loadDeadlineMs };
      runner.request(request, options, (answer) => {
        if ('failure' in answer) {
          const what = `${answer.message} (${answer.failure})`;
          reject(new HookvisorError('runner', `Cannot measure the plug-in: ${what}; debug it with 'hookvisor test'`));
        } else if (answer.reply.kind === 'failed' && answer.reply.failure === null) {
          reject(new HookvisorError(answer.reply.code, `Cannot measure the plug-in: ${answer.reply.message}`));
        } else resolve(answer.reply);
      });
    });
}

async function callInTurns(
  ask: Ask,
  { calls, rounds, onProgress = () => undefined }: Pick<MeasureOptions, 'calls' | 'rounds' | 'onProgress'>,
): Promise<Pick<Measurement, 'instantiationMs' | 'callMs' | 'fuel' | 'outcomes'>> {
  const instantiationMs: number[] = [];
  const callMs: number[] = [];
  const fuel: number[] = [];
  const outcomes: Record<string, number> = {};
  for (let round = -warmUp; round < rounds; round++) {
    const call = calls[Math.abs(round) % calls.length];
    if (call === undefined) break;
    const prepared = await ask({ kind: 'prepare', handler: 0 }, null);
    const { event, document } = call;
    const request = { kind: 'evaluate', handler: 0, event, document: document !== null } as const;
    const { result, ms } = await timed(() => ask(request, document));
    if (round < 0) continue;
    if (prepared.kind === 'prepared' && prepared.made) instantiationMs.push(prepared.tookMs);
    callMs.push(ms);
    const word = result.kind === 'evaluated' ? result.outcome : result.kind === 'failed' ? result.failure : null;
    outcomes[word ?? 'unavailable'] = (outcomes[word ?? 'unavailable'] ?? 0) + 1;
    if ('fuel' in result && result.fuel !== null) fuel.push(result.fuel);
    onProgress(round + 1);
  }
  return { instantiationMs, callMs, fuel, outcomes };
}

async function residentBytes(ask: Ask): Promise<number> {
  const reply = await ask({ kind: 'usage' }, null);
  return reply.kind === 'usage' ? reply.usage.rssBytes : 0;
}

function assertTaken(reply: RunnerReply, source: string): void {
  const objection = reply.kind === 'validated' ? reply.objection : 'the check of the settings failed';
  if (objection === null) return;
  throw new HookvisorError(
    'plugin-settings',
    `Cannot load the plug-in '${source}': it rejects the settings: ${objection}; specify others with --settings`,
  );
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const began = performance.now();
  const result = await work();
  return { result, ms: performance.now() - began };
}
