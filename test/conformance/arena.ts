import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import type { HandlerConfig } from '../../src/runtime/config/config.js';
import type { BackendName } from '../../src/contract/backend-name.js';
import type { HandlerFields } from '../support/handlers.js';
import { HookvisorError } from '../../src/contract/errors.js';
import type { HookCall } from '../../src/contract/event.js';
import { failureCodes } from '../../src/contract/outcome.js';
import type { Evaluation, FailureCode, LogLine } from '../../src/contract/outcome.js';
import { handlerConfig, hookCall } from '../support/sandbox.js';
import { startRuntimeProcess } from './runtime-process.js';
import type { RuntimeProcess } from './runtime-process.js';

/** Room for a reason of 100 MB, so that the guest can make one, and time for a busy machine. */
export const arenaLimits: HandlerConfig['limits'] = {
  deadlineMs: 20_000,
  fuel: 50_000_000,
  memoryBytes: 128 * 1024 * 1024,
};

/** How one evaluation ended, whether in an outcome or in a failure. */
export interface Ending {
  readonly outcome: string | null;
  /** Reason or replaced document. */
  readonly text: string;
  readonly failure: FailureCode | null;
  readonly message: string;
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];
}

/** A handler that is loaded in the arena's runtime. */
export interface Contender extends AsyncDisposable {
  readonly digest: string | null;
  evaluate(call: HookCall): Promise<Ending>;
}

/** One runtime with a well-behaved handler, beside which hostile ones are let loose in the same trust group. */
export interface Arena extends AsyncDisposable {
  /** Everything that the runtime and the tests write is below it. */
  readonly folder: string;
  readonly runtime: RuntimeProcess;
  /** Digests and limits of the plugins that were admitted: the cache keeps one artefact for each. */
  readonly admitted: ReadonlySet<string>;
  /** Loads a handler into the neighbour's trust group. */
  loadConfigured(config: HandlerConfig): Promise<Contender>;
  /** Writes a plugin and loads it. */
  load(backend: BackendName, bytes: Buffer, changes?: HandlerFields): Promise<Contender>;
  /** The neighbour answers, at once. */
  neighbourAnswers(): Promise<void>;
  /** Admissions under way. */
  admissions(): Promise<number>;
  /** The runtime's resident memory when its garbage is collected. */
  residentBytes(): Promise<number>;
}

const loadedSchema = z.object({ handler: z.number(), digest: z.string().nullable() });
const logsSchema = z.custom<LogLine[]>(Array.isArray);
const decidedSchema = z.union([
  z.object({ evaluation: z.custom<Evaluation>() }),
  z.object({
    failure: z.object({
      failure: z.enum(failureCodes),
      message: z.string(),
      fuel: z.number().nullable(),
      logs: logsSchema,
    }),
  }),
]);

export async function openArena(): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-arena-'));
  const below = (name: string): string => join(folder, name);
  const runtime = await startRuntimeProcess({ cache: below('cache'), journal: below('journal'), tmp: below('tmp') });
  const admitted = new Set<string>();
  let files = 0;
  const admit = (digest: string, { backend, limits }: HandlerConfig): void => {
    admitted.add(`${digest} ${backend} ${limits.memoryBytes}`);
  };
  const loadConfigured = async (config: HandlerConfig): Promise<Contender> => {
    const { handler, digest } = loadedSchema.parse(
      await runtime.ask('load', { config }).catch(async (error: unknown) => {
        // It was admitted before it was asked about its settings.
        if (error instanceof HookvisorError && error.code === 'plugin-settings') admit(await digestOf(config), config);
        throw error;
      }),
    );
    if (digest !== null) admit(digest, config);
    let released: Promise<unknown> | null = null;
    return {
      digest,
      evaluate: async (call) => endingFrom(await runtime.ask('evaluate', { handler, call })),
      async [Symbol.asyncDispose]() {
        await (released ??= runtime.ask('release', { handler }));
      },
    };
  };
  const neighbour = await loadConfigured(handlerConfig({ name: 'neighbour' }));
  return {
    folder,
    runtime,
    admitted,
    loadConfigured,
    async load(backend, bytes, changes = {}) {
      const source = below(`${(files += 1)}.wasm`);
      await writeFile(source, bytes);
      return loadConfigured(handlerConfig({ name: 'hostile', backend, source, limits: arenaLimits, ...changes }));
    },
    async neighbourAnswers() {
      expect(await neighbour.evaluate(hookCall())).toMatchObject({ outcome: 'allow' });
    },
    admissions: async () => z.number().parse(await runtime.ask('admissions')),
    residentBytes: async () => z.number().parse(await runtime.ask('memory')),
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function digestOf({ source }: HandlerConfig): Promise<string> {
  return createHash('sha256')
    .update(await readFile(source))
    .digest('hex');
}

function endingFrom(answer: unknown): Ending {
  const decided = decidedSchema.parse(answer);
  if ('failure' in decided) return { outcome: null, text: '', ...decided.failure };
  const { outcome, fuel, logs } = decided.evaluation;
  const rest = { failure: null, message: '', fuel, logs };
  if (outcome.outcome === 'deny') return { outcome: 'deny', text: outcome.reason, ...rest };
  const text = outcome.outcome === 'replace' ? Buffer.from(outcome.document).toString() : '';
  return { outcome: outcome.outcome, text, ...rest };
}

/** Lets a handler decide; it must end within its deadline and one second. */
export async function endingOf(
  handler: Contender,
  call: HookCall,
  deadlineMs = arenaLimits.deadlineMs,
): Promise<Ending> {
  const began = performance.now();
  const ending = await handler.evaluate(call);
  expect(performance.now() - began).toBeLessThan(deadlineMs + 1_000);
  return ending;
}

/** An event whose id wakes a guest. */
export function wakingCall(id: string, document: string | null = '<domain><name>tiny</name></domain>'): HookCall {
  const { event } = hookCall();
  return { event: { ...event, id }, document: document === null ? null : Buffer.from(document) };
}
