import { isUtf8 } from 'node:buffer';
import { createPlugin } from '@extism/extism';
import type { ExtismPluginOptions, Plugin } from '@extism/extism';
import { bare } from './bare.js';
import type { HookCall } from '../contract/event.js';
import { bounds } from '../contract/limits.js';
import { HandlerFailure } from '../contract/outcome.js';
import type { LogLevel, Outcome } from '../contract/outcome.js';
import { oneLine } from '../contract/text.js';
import { compileModules, notLoadable } from '../contract/compile.js';
import { extismObjection, extismOutput, toExtismConfig } from './contract.js';
import type { ExtismInput } from './contract.js';
import { extismFunctions } from './extism-kernel.js';
import type { Guest, GuestBackend, GuestLoad } from './guest.js';
import { checkDocument, createLogBook, cut } from './host.js';
import type { LogBook } from './host.js';
import { costOfCall } from './host-cost.js';
import { createMemoryPool } from './memory-pool.js';
import type { Loan, MemoryPool } from './memory-pool.js';
import { createMeter, failureOf } from '../contract/meter.js';
import type { Meter } from '../contract/meter.js';

/** The only module in an artefact of this backend. */
const moduleName = 'main';

/** The prefix with which the SDK reports the text of `error_set`. */
const thrownByPlugin = 'Plugin-originated error: ';

interface Loaded {
  readonly load: GuestLoad;
  readonly module: WebAssembly.Module;
  readonly config: ReadonlyMap<string, string>;
  readonly pool: MemoryPool;
}

/** One instance and everything that belongs to it. */
interface Instance {
  readonly plugin: Plugin;
  /** The status of the function that failed; 0 if none has. */
  readonly status: () => number;
  readonly meter: Meter;
  readonly loan: Loan;
  readonly logs: LogBook;
}

/** Loads an Extism plug-in's hardened module. The SDK runs it in this thread, without WASI, files and network. */
export const loadExtism: GuestBackend = (load) =>
  new Promise((resolve) => {
    resolve(guestOf(load));
  });

function guestOf(load: GuestLoad): Guest {
  const module = compileModules(load.artefact).get(moduleName);
  if (module === undefined) throw notLoadable(new Error('its module is missing'));
  const pool = createMemoryPool(load.artefact.modules);
  const loaded: Loaded = { load, module, config: new Map(Object.entries(toExtismConfig(load.settings))), pool };
  const warm: Instance[] = [];
  return {
    prepare: () => prepare(loaded, warm),
    get warm() {
      return warm.length;
    },
    shrink(keep) {
      warm.splice(keep);
      pool.clear();
    },
    evaluate: async (call) => {
      checkDocument(call.document);
      const instance = warm.shift() ?? (await instantiate(loaded));
      const { value, fuel } = await run(loaded, instance, async () =>
        toOutcome(await called(instance, 'handle', toInput(call))),
      );
      return { outcome: value, fuel, logs: instance.logs.lines() };
    },
    validate: async () => {
      if (!load.artefact.validates) return null;
      const instance = await instantiate(loaded);
      const { value } = await run(loaded, instance, async () => toObjection(await called(instance, 'validate', '{}')));
      return value;
    },
  };
}

async function prepare(loaded: Loaded, warm: Instance[]): Promise<boolean> {
  try {
    warm.push(await instantiate(loaded));
    return true;
  } catch {
    // The next event instantiates again, fails in the same way and reports it.
    return false;
  }
}

async function instantiate({ load, module, config, pool }: Loaded): Promise<Instance> {
  const { limits } = load;
  const logs = createLogBook();
  const meter = createMeter(limits);
  const loan = pool.lend();
  try {
    const options: ExtismPluginOptions = {
      useWasi: false,
      runInWorker: false,
      allowedHosts: [],
      allowedPaths: {},
      logger: loggerInto(logs, meter),
      functions: extismFunctions(config, { meter, memory: loan.take(moduleName) }),
    };
    const plugin = await createPlugin({ wasm: [{ module }] }, options);
    return { plugin, status: statusOf(await plugin.getInstance()), meter, loan, logs };
  } catch (error) {
    throw failureOf(error, { meter, limits, logs: logs.lines() });
  }
}

/**
 * Records the status that Extism's functions return, 0 for success. The SDK ignores it and only checks `error_set`, so
 * it is recorded here: the SDK takes a function from the instance's exports at each call.
 */
function statusOf(instance: WebAssembly.Instance): () => number {
  let failed = 0;
  const noting = Object.entries(instance.exports).map(([name, exported]) => {
    if (typeof exported !== 'function') return [name, exported] as const;
    const call = (): void => {
      const status: unknown = exported();
      if (typeof status === 'number' && status !== 0) failed = status;
    };
    return [name, call] as const;
  });
  Object.defineProperty(instance, 'exports', { value: bare<unknown>(noting) });
  return () => failed;
}

async function run<T>({ load }: Loaded, { plugin, status, meter, loan, logs }: Instance, call: () => Promise<T>) {
  try {
    const value = await call();
    if (meter.exhausted) throw new Error('out of fuel');
    loan.giveBack();
    return { value, fuel: meter.spent() };
  } catch (error) {
    const spent = { meter, limits: load.limits, logs: logs.lines() };
    const said = meter.exhausted ? null : whatItSaid(error, status());
    if (said === null) throw failureOf(error, spent);
    throw new HandlerFailure('trap', said, { cause: error, fuel: meter.spent(), logs: spent.logs });
  } finally {
    await plugin.close();
  }
}

/** Returns how a plug-in reported a failure without a trap: by an error, or only by a status. */
function whatItSaid(error: unknown, status: number): string | null {
  if (error instanceof Error && error.message.startsWith(thrownByPlugin)) {
    return `the plug-in threw: ${oneLine(error.message.slice(thrownByPlugin.length), 300)}`;
  }
  return status === 0 ? null : `the plug-in returned status ${status} instead of 0, without an error message`;
}

/** Returns a console for the SDK, which uses only these methods. The plug-in's fuel pays for a message. */
function loggerInto(logs: LogBook, { charge }: Meter): Console {
  const at = (level: LogLevel) => (text: string) => {
    charge(costOfCall(text.length));
    logs.write(level, text);
  };
  return { ...console, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function toInput({ event, document }: HookCall): string {
  const input: ExtismInput = { event, document: document?.toString('utf8') ?? null };
  return JSON.stringify(input);
}

type Output = Awaited<ReturnType<Plugin['call']>>;

/** Throws if the plug-in failed, whatever its output is. */
async function called({ plugin, status }: Instance, name: string, input: string): Promise<Output> {
  const output = await plugin.call(name, input);
  if (status() !== 0) throw new Error('its status is not 0');
  return output;
}

function toOutcome(output: Output): Outcome {
  const parsed = extismOutput.safeParse(parse(output));
  if (!parsed.success) throw new Error('its answer is not an outcome in JSON');
  const { data } = parsed;
  if (data.outcome === 'deny') return { outcome: 'deny', reason: cut(data.reason, bounds.reasonChars) };
  if (data.outcome === 'replace') {
    // JSON can escape a lone surrogate, which UTF-8 would replace with U+FFFD: the document would differ from the
    // plug-in's answer.
    if (!data.document.isWellFormed()) throw new Error('the document in its answer contains a lone surrogate');
    return { outcome: 'replace', document: Buffer.from(data.document) };
  }
  return { outcome: 'allow' };
}

/** Reads an objection to the settings. Empty output means that there is none. */
function toObjection(output: Output): string | null {
  if (output === null || output.bytes().length === 0) return null;
  const parsed = extismObjection.safeParse(parse(output));
  if (!parsed.success) throw new Error("the answer of 'validate' is not an objection in JSON");
  return cut(parsed.data.error, bounds.reasonChars);
}

function parse(output: Output): unknown {
  if (output === null) throw new Error('its answer is empty');
  // Escaping can make the JSON of the largest document larger than the document itself.
  const size = output.bytes().length;
  if (size > 2 * bounds.documentBytes) throw new Error(`its answer has ${size} bytes`);
  if (!isUtf8(output.bytes())) throw new Error('its answer is not UTF-8');
  try {
    return output.json();
  } catch {
    throw new Error('its answer is not JSON');
  }
}
