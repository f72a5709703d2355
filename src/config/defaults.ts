import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { JournalConfig } from './config.js';
import type { IsolationLevel } from './config.js';

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

/** Trust group of a plug-in that names none. */
export const defaultTrust = 'operator';

/**
 * Folder of admitted plug-ins when the configuration names none: `/var/cache/hookvisor` for root, else `hookvisor` below
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
