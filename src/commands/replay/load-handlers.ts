import { extname, resolve } from 'node:path';
import type { Config, HandlerConfig } from '../../runtime/config/config.js';
import type { BackendName } from '../../contract/backend-name.js';
import { defaultHandler } from '../../runtime/config/defaults.js';
import { HookvisorError } from '../../contract/errors.js';
import { bounds } from '../../contract/limits.js';
import { wasmLayerOf } from '../../testing/wasm-layer.js';
import type { RunnerPool } from './runner-pool.js';
import type { ReplayHandler } from './replay-handlers.js';

/** What a replay substitutes for parts of a configured handler. */
export interface Substitute {
  readonly handler: string;
  /** The file of another plug-in. */
  readonly plugin?: string;
  readonly settings?: HandlerConfig['settings'];
}

/**
 * Returns the configuration of the handler to replay, with the substitutions applied. Throws HookvisorError `usage`
 * when there is neither such a handler nor a plug-in.
 */
export async function substituted(config: Config | null, substitute: Substitute): Promise<HandlerConfig> {
  const { handler: name, plugin, settings } = substitute;
  const configured = config?.handlers.get(name) ?? null;
  if (plugin === undefined) {
    if (configured !== null) return { ...configured, settings: settings ?? configured.settings };
    const known = [...(config?.handlers.keys() ?? [])].join(', ');
    throw new HookvisorError(
      'usage',
      `Cannot replay handler '${name}': the configuration has no such handler${known === '' ? '' : ` (it has ${known})`}; ` +
        `specify a plug-in with --plugin`,
    );
  }
  const source = resolve(plugin);
  return {
    ...(configured ?? unconfigured(name)),
    backend: await backendOf(source),
    source,
    sha256: null,
    settings: settings ?? configured?.settings ?? '{}',
  };
}

/** Loads every plug-in of a configuration, but no script. */
export async function loadPlugins(config: Config, pool: RunnerPool): Promise<ReadonlyMap<string, ReplayHandler>> {
  const plugins = new Map<string, ReplayHandler>();
  await Promise.all(
    [...config.handlers.values()]
      .filter(({ backend }) => backend !== 'script')
      .map(async (one) => plugins.set(one.name, { config: one, handler: await pool.load(one) })),
  );
  return plugins;
}

/** Returns a handler for a plug-in file with settings and defaults. Throws HookvisorError when it is not a plug-in. */
export async function pluginConfig(file: string, settings: HandlerConfig['settings']): Promise<HandlerConfig> {
  const source = resolve(file);
  return { ...unconfigured('plugin'), backend: await backendOf(source), source, settings };
}

/** Returns the defaults of a plug-in without a configuration: it may replace, so that replacements show. */
function unconfigured(name: string): HandlerConfig {
  return {
    ...defaultHandler,
    name,
    backend: 'component',
    source: '',
    grants: new Set(['replace']),
    pluginBytes: bounds.pluginBytes,
  };
}

/** Returns the backend that a plug-in file needs. Throws HookvisorError `usage` for a script. */
async function backendOf(file: string): Promise<Exclude<BackendName, 'script'>> {
  if (extname(file) !== '.wasm') {
    throw new HookvisorError(
      'usage',
      `Cannot use '${file}' as a plug-in: it is not a .wasm file; build one, or specify another`,
    );
  }
  return (await wasmLayerOf(file)) === 'component' ? 'component' : 'extism';
}
