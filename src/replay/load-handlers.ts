import { extname, resolve } from 'node:path';
import type { BackendName, Config, HandlerConfig } from '../config/config.js';
import { defaultHandler } from '../config/defaults.js';
import { HookvisorError } from '../errors.js';
import { bounds } from '../limits.js';
import { wasmLayerOf } from '../testing/wasm-layer.js';
import type { Lanes } from './lanes.js';
import type { ReplayHandler } from './replay-handlers.js';

/** What a replay puts in the place of a configured handler's own. */
export interface Substitute {
  readonly handler: string;
  /** Another plugin's file. */
  readonly plugin?: string;
  readonly settings?: HandlerConfig['settings'];
}

/**
 * The configuration of the handler to ask: the configured one with what stands in its place. Throws HookvisorError
 * `usage` when there is neither such a handler nor a plugin.
 */
export async function substituted(config: Config | null, substitute: Substitute): Promise<HandlerConfig> {
  const { handler: name, plugin, settings } = substitute;
  const configured = config?.handlers.get(name) ?? null;
  if (plugin === undefined) {
    if (configured !== null) return { ...configured, settings: settings ?? configured.settings };
    const known = [...(config?.handlers.keys() ?? [])].join(', ');
    throw new HookvisorError(
      'usage',
      `Cannot replay handler '${name}': the configuration has none of that name${known === '' ? '' : ` (${known})`}; ` +
        `name its plugin with --plugin`,
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

/** Loads every plugin of a configuration, and no script. */
export async function loadPlugins(config: Config, lanes: Lanes): Promise<ReadonlyMap<string, ReplayHandler>> {
  const plugins = new Map<string, ReplayHandler>();
  await Promise.all(
    [...config.handlers.values()]
      .filter(({ backend }) => backend !== 'script')
      .map(async (one) => plugins.set(one.name, { config: one, handler: await lanes.load(one) })),
  );
  return plugins;
}

/** A plugin's file with settings, and nothing else configured. Throws HookvisorError when it is no plugin. */
export async function pluginConfig(file: string, settings: HandlerConfig['settings']): Promise<HandlerConfig> {
  const source = resolve(file);
  return { ...unconfigured('plugin'), backend: await backendOf(source), source, settings };
}

/** A plugin that no configuration knows: its replacements count, so that they show. */
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

/** The backend that a plugin's file is for. Throws HookvisorError `usage` for a script. */
async function backendOf(file: string): Promise<Exclude<BackendName, 'script'>> {
  if (extname(file) !== '.wasm') {
    throw new HookvisorError(
      'usage',
      `Cannot use '${file}' as a plugin: it is no .wasm file; build one, or name another`,
    );
  }
  return (await wasmLayerOf(file)) === 'component' ? 'component' : 'extism';
}
