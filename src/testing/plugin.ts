import { extname, resolve } from 'node:path';
import type { Backend } from '../runtime/backend.js';
import { createScriptBackend } from '../runtime/scripts/script.js';
import { defaultCache, defaultHandler } from '../runtime/config/defaults.js';
import type { HandlerConfig, Json } from '../runtime/config/config.js';
import type { BackendName } from '../contract/backend-name.js';
import { consult } from '../runtime/dispatch/consult.js';
import type { HandlerRecord } from '../contract/verdict.js';
import { HookvisorError } from '../contract/errors.js';
import { loadXml } from '../shared/xml/document.js';
import { bounds, type Limits } from '../contract/limits.js';
import type { FailureCode, LogLine } from '../contract/outcome.js';
import { wasmLayerOf } from './wasm-layer.js';
import { createSandbox, type Sandbox } from '../runtime/sandbox.js';
import { callOf, type CallDescription } from './call.js';

/** Limits of a tested handler: those of an event, and the largest plug-in in bytes. */
export type TestLimits = Limits & { readonly pluginBytes: number };

/** The handler to load. */
export interface PluginOptions {
  /** The .wasm file or the script; a relative path is resolved against the working directory. */
  readonly file: string;
  /** Default: detected from the file: a component, an Extism module, otherwise a script. */
  readonly backend?: BackendName;
  /** Settings of the handler; default: none. */
  readonly settings?: Readonly<Record<string, Json>>;
  /** Limits that override the defaults of a configuration. */
  readonly limits?: Partial<TestLimits>;
  /** Argument style of a script; default: that of libvirt hooks. */
  readonly arguments?: 'libvirt' | 'rfc';
  /** Grants of the handler; default: `replace`, so that a replacement shows. */
  readonly grants?: readonly string[];
}

/** The result of a handler for one event. */
export interface HandledEvent {
  /** The decision; null after a failure, whose kind is in `failure`. */
  readonly outcome: 'allow' | 'deny' | 'replace' | null;
  /** The reason of the denial or the failure; null otherwise. */
  readonly reason: string | null;
  readonly failure: FailureCode | null;
  /** The new document of `replace`; null otherwise. */
  readonly document: string | null;
  /** Fuel consumed, the same on every machine; null for scripts. */
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];
  readonly durationMs: number;
}

/** A handler loaded as the runtime loads it. Disposing it terminates its processes. */
export interface TestPlugin extends AsyncDisposable {
  readonly backend: BackendName;
  /** sha256 of the plug-in, hex; null for a script. */
  readonly digest: string | null;
  /** Evaluates one event, as the runtime would. A failure of the handler is a result, not a rejection. */
  handle(call: CallDescription): Promise<HandledEvent>;
}

/** Loads the handlers of a test run, which share its processes; disposing it terminates them. */
export interface TestBench extends AsyncDisposable {
  /** Throws HookvisorError as the runtime would: `plugin-refused`, `plugin-settings`, … */
  load(options: PluginOptions): Promise<TestPlugin>;
}

/**
 * Loads a handler into the real sandbox: vetted, hardened, in a separate process, with the real limits.
 *
 * ```ts
 * await using plugin = await loadPlugin({ file: 'build/naming.wasm', settings: { pattern: '^web' } });
 * const { outcome } = await plugin.handle({ argv: ['db', 'prepare', 'begin', '-'], driver: 'qemu' });
 * ```
 * Throws HookvisorError as the runtime would: `plugin-refused`, `plugin-settings`, …
 */
export async function loadPlugin(options: PluginOptions): Promise<TestPlugin> {
  const bench = createTestBench();
  try {
    const plugin = await bench.load(options);
    return { ...plugin, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
  } catch (error) {
    await bench[Symbol.asyncDispose]();
    throw error;
  }
}

/** Creates a bench; its processes start on demand. */
export function createTestBench(): TestBench {
  // The results already contain what the sandbox would log.
  const sandbox: Sandbox = createSandbox({ cache: defaultCache(), log: () => undefined });
  const scripts = createScriptBackend();
  return {
    async load(options) {
      const file = resolve(options.file);
      const backend = options.backend ?? (await backendOf(file));
      const config = configOf({ ...options, file }, backend);
      const loader: Backend = backend === 'script' ? scripts : sandbox.backend(backend);
      const handler = await loader.load(config);
      return {
        backend,
        digest: handler.digest,
        handle: async (description) => handledBy({ config, handler, fallback: null }, description),
        [Symbol.asyncDispose]: () => handler[Symbol.asyncDispose](),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([sandbox[Symbol.asyncDispose](), scripts[Symbol.asyncDispose]()]);
    },
  };
}

async function backendOf(file: string): Promise<BackendName> {
  if (extname(file) !== '.wasm') return 'script';
  return (await wasmLayerOf(file)) === 'component' ? 'component' : 'extism';
}

function configOf(options: PluginOptions, backend: BackendName): HandlerConfig {
  const { file, settings = {}, grants = ['replace'] } = options;
  const { pluginBytes = bounds.pluginBytes, ...limits } = options.limits ?? {};
  if (backend === 'script' && Object.keys(settings).length > 0) {
    throw new HookvisorError(
      'usage',
      `Cannot pass settings to the script '${file}': scripts have no settings; remove them`,
    );
  }
  return {
    ...defaultHandler,
    name: 'tested',
    backend,
    source: file,
    settings: JSON.stringify(settings),
    grants: new Set(grants),
    limits: { ...defaultHandler.limits, ...limits },
    pluginBytes,
    arguments: options.arguments ?? defaultHandler.arguments,
  };
}

type Loaded = Parameters<typeof consult>[0]['loaded'];

async function handledBy(loaded: Loaded, description: CallDescription): Promise<HandledEvent> {
  const call = callOf(description);
  const checkReplacement = async (original: Buffer, replacement: Buffer): Promise<string | null> =>
    (await loadXml()).checkReplacement(original, replacement);
  const asked = { loaded, call, original: call.document, checkReplacement, mode: 'enforce', allowance: null } as const;
  const { outcome, record } = await consult(asked);
  return {
    ...answerOf(record),
    document: outcome?.outcome === 'replace' ? outcome.document.toString('utf8') : null,
  };
}

function answerOf({ outcome, reason, failure, fuel, logs, durationUs }: HandlerRecord): Omit<HandledEvent, 'document'> {
  return { outcome, reason, failure, fuel, logs, durationMs: durationUs / 1_000 };
}
