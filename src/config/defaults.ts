import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The configuration that is read when none is named. */
export const defaultConfigFile = '/etc/hookvisor/hookvisor.yaml';

/** The runtime's socket when the configuration names none. */
export const defaultSocket = '/run/hookvisor/hookvisor.sock';

/** Folder of the journal when the configuration names none. */
export const defaultJournalDir = '/var/log/hookvisor';

/** Trust group of a plugin that names none. */
export const defaultTrust = 'operator';

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
