import { dirname, resolve } from 'node:path';
import { defaultLimits, defaultPluginBytes, type Limits } from '../../contract/limits.js';
import type { Config, FailurePolicy, HandlerConfig, JournalConfig, Route, RouteMatch } from './config.js';
import {
  defaultBudgetMs,
  defaultCache,
  defaultHandler,
  defaultIsolationLevel,
  defaultJournal,
  defaultSocket,
} from './defaults.js';
import { doubtsOf } from './doubts.js';
import { eventsScriptHandler } from './references.js';
import type { ConfigFile, HandlerEntry } from './schema.js';

/** Fills in defaults and makes paths absolute; relative paths are resolved against the folder of `file`. */
export function resolveConfig(written: ConfigFile, file: string): Config {
  const absolute = resolve(file);
  const folder = dirname(absolute);
  const limits = limitsOf(written.limits ?? {}, defaultLimits);
  const pluginBytes = written.limits?.pluginSize ?? defaultPluginBytes;
  const handlers = new Map<string, HandlerConfig>();
  for (const [name, entry] of Object.entries(written.handlers ?? {})) {
    handlers.set(name, handlerOf({ name, entry, folder, limits, pluginBytes }));
  }
  const routes = (written.routes ?? []).map(({ match, handlers: names }): Route => ({
    match: matchOf(match),
    handlers: names,
  }));
  if (written.events_script !== undefined) {
    handlers.set(eventsScriptHandler, eventsScript(written.events_script, limits, pluginBytes));
    const kind = written.events_set;
    routes.push({ match: kind === undefined ? {} : { kind }, handlers: [eventsScriptHandler] });
  }
  const journal = written.journal ?? {};
  return {
    file: absolute,
    socket: resolve(folder, written.socket?.path ?? defaultSocket),
    readers: written.socket?.group ?? null,
    journal: journal === false ? null : { ...journalOf(journal, folder), readers: written.socket?.group ?? null },
    cache: resolve(folder, written.cache ?? defaultCache()),
    sandbox: {
      require: written.sandbox?.require ?? defaultIsolationLevel(),
      isolation: written.sandbox?.isolation ?? 'auto',
    },
    budgetMs: written.budget ?? defaultBudgetMs,
    handlers,
    routes,
    doubts: doubtsOf(routes),
  };
}

function journalOf(
  written: Exclude<NonNullable<ConfigFile['journal']>, false>,
  folder: string,
): Omit<JournalConfig, 'readers'> {
  return {
    dir: resolve(folder, written.dir ?? defaultJournal.dir),
    redact: written.redact ?? defaultJournal.redact,
    sync: written.sync ?? defaultJournal.sync,
    maxBytes: written.maxSize ?? defaultJournal.maxBytes,
    maxAgeMs: written.maxAge ?? defaultJournal.maxAgeMs,
    segmentBytes: written.segmentSize ?? defaultJournal.segmentBytes,
  };
}

interface Named {
  readonly name: string;
  readonly entry: HandlerEntry;
  readonly folder: string;
  readonly limits: Limits;
  readonly pluginBytes: number;
}

function handlerOf({ name, entry, folder, limits, pluginBytes }: Named): HandlerConfig {
  // libvirt accepts the output of a hook as a document, so a script may replace unless its grants exclude it.
  const granted = entry.grants ?? (entry.backend === 'script' ? ['replace'] : []);
  return {
    name,
    backend: entry.backend,
    source: resolve(folder, entry.source),
    sha256: entry.sha256 ?? defaultHandler.sha256,
    trust: entry.trust ?? defaultHandler.trust,
    settings: entry.settings === undefined ? defaultHandler.settings : JSON.stringify(entry.settings),
    failurePolicy: policyOf(entry.failurePolicy),
    mode: entry.mode ?? defaultHandler.mode,
    grants: new Set(granted),
    limits: limitsOf(entry, limits),
    pluginBytes: entry.pluginSize ?? pluginBytes,
    arguments: entry.arguments ?? defaultHandler.arguments,
    layout: entry.layout ?? defaultHandler.layout,
    libvirtAccess: entry.libvirtAccess ?? defaultHandler.libvirtAccess,
  };
}

/** Creates the handler of `events_script`: it gets the arguments of the RFC, and its exit status decides. */
function eventsScript(source: string, limits: Limits, pluginBytes: number): HandlerConfig {
  return {
    ...defaultHandler,
    name: eventsScriptHandler,
    backend: 'script',
    source,
    grants: new Set(['replace']),
    limits,
    pluginBytes,
    arguments: 'rfc',
  };
}

function policyOf(written: HandlerEntry['failurePolicy']): FailurePolicy {
  return typeof written === 'string' ? { policy: written } : { policy: 'fallback', handler: written.fallback };
}

function limitsOf(written: NonNullable<ConfigFile['limits']>, otherwise: Limits): Limits {
  return {
    deadlineMs: written.deadline ?? otherwise.deadlineMs,
    fuel: written.fuel ?? otherwise.fuel,
    memoryBytes: written.memory ?? otherwise.memoryBytes,
  };
}

function matchOf(written: NonNullable<ConfigFile['routes']>[number]['match']): RouteMatch {
  const { kind, driver, name, event, qualifier } = written;
  return {
    ...(kind && { kind }),
    ...(driver && { driver }),
    ...(name && { name }),
    ...(event && { event }),
    ...(qualifier && { qualifier }),
  };
}
