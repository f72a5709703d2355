import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { defaultLimits, defaultPluginBytes } from '../limits.js';
import type { HandlerConfig, IsolationLevel, JournalConfig } from './config.js';

/** The configuration that is read when none is named. */
export const defaultConfigFile = '/etc/hookvisor/hookvisor.yaml';

/** The runtime's socket when the configuration names none. */
export const defaultSocket = '/run/hookvisor/hookvisor.sock';

/** The journal where the configuration says nothing. */
export const defaultJournal: JournalConfig = {
  dir: '/var/log/hookvisor',
  redact: true,
  sync: 'interval',
  maxBytes: 1024 ** 3,
  maxAgeMs: 90 * 24 * 3_600_000,
  segmentBytes: 16 * 1024 ** 2,
};

/** What all handlers together may take for the start of one guest when the configuration says nothing, milliseconds. */
export const defaultBudgetMs = 60_000;

/** Trust group of a plugin that names none. */
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
 * Folder of admitted plugins when the configuration names none: `/var/cache/hookvisor` for root, else `hookvisor` below
 * $XDG_CACHE_HOME, which counts only when it is absolute (as its specification says), or below ~/.cache.
 */
export function defaultCache(
  env: Readonly<Record<string, string | undefined>> = process.env,
  uid: number | undefined = process.getuid?.(),
): string {
  if (uid === 0) return '/var/cache/hookvisor';
  const xdg = env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'hookvisor');
}

/** The level that plugins' processes must have: what decides for a host runs as root, everybody else only tries things out. */
export function defaultIsolationLevel(uid: number | undefined = process.getuid?.()): IsolationLevel {
  return uid === 0 ? 'namespaces' : 'process';
}
