import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { defaultLimits, defaultPluginBytes } from '../../contract/limits.js';
import type { HandlerConfig, JournalConfig } from './config.js';
import type { IsolationLevel } from '../../contract/isolation-level.js';

/** The default configuration file. */
export const defaultConfigFile = '/etc/hookvisor/hookvisor.yaml';

/** The default socket of the runtime. */
export const defaultSocket = '/run/hookvisor/hookvisor.sock';

/** The default settings of the journal. */
export const defaultJournal: JournalConfig = {
  dir: '/var/log/hookvisor',
  redact: true,
  sync: 'interval',
  maxBytes: 1024 ** 3,
  maxAgeMs: 90 * 24 * 3_600_000,
  segmentBytes: 16 * 1024 ** 2,
  readers: null,
};

/** Default total time of all handlers for the start of one guest, milliseconds. */
export const defaultBudgetMs = 60_000;

/** The default trust group of a plug-in. */
export const defaultTrust = 'operator';

/** What a handler has of which nothing is known but its name, its backend and its source. */
export const defaultHandler: Omit<HandlerConfig, 'name' | 'backend' | 'source'> = {
  sha256: null,
  trust: defaultTrust,
  settings: '{}',
  failurePolicy: { policy: 'fail' },
  mode: 'enforce',
  grants: new Set(),
  limits: defaultLimits,
  pluginBytes: defaultPluginBytes,
  arguments: 'libvirt',
  layout: 'file',
  libvirtAccess: 'allow',
};

/**
 * Returns the default cache of admitted plug-ins: `/var/cache/hookvisor` for root, otherwise `hookvisor` below
 * $XDG_CACHE_HOME (only if absolute, as its specification requires) or ~/.cache.
 */
export function defaultCache(
  env: Readonly<Record<string, string | undefined>> = process.env,
  uid: number | undefined = process.getuid?.(),
): string {
  if (uid === 0) return '/var/cache/hookvisor';
  const xdg = env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'hookvisor');
}

/** Returns the default isolation level: a runtime that decides for a host runs as root; other users only experiment. */
export function defaultIsolationLevel(uid: number | undefined = process.getuid?.()): IsolationLevel {
  return uid === 0 ? 'namespaces' : 'process';
}
