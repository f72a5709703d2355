import { dirname } from 'node:path';
import { scriptDistrust } from './scripts/script-trust.js';
import type { Config } from './config/config.js';
import { distrustError, type Distrust, type DistrustedUse } from './files/distrust.js';
import { createPathTrust, type PathTrust } from './files/path-trust.js';
import { forEachLimited } from './for-each-limited.js';

/** Maximum number of handlers examined concurrently: with more, file accesses of events in flight would queue behind. */
const atATime = 16;

/**
 * Examines everything that a configuration makes the runtime execute or trust: scripts with their interpreters,
 * plug-ins, the cache, the journal, and the folder of the socket. Throws HookvisorError `untrusted`, which lists every
 * path that users other than root and the user of this process can change. Events need no check of their own: a trusted
 * path can only be changed by trusted users.
 */
export async function requireTrusted(config: Config): Promise<PathTrust> {
  const trust = createPathTrust();
  const found = await configDistrust(config, trust);
  if (found.length > 0) throw distrustError(`use '${config.file}'`, found);
  return trust;
}

/** Returns what {@link requireTrusted} refuses, with the configuration keys that name it. */
export async function configDistrust(config: Config, trust: PathTrust): Promise<DistrustedUse[]> {
  const { handlers, cache, journal, socket } = config;
  const examine = async (...args: Parameters<PathTrust['examine']>): Promise<readonly Distrust[]> =>
    (await trust.examine(...args)).distrust;
  const found = new Map<string, readonly Distrust[]>();
  await forEachLimited(handlers.values(), atATime, async (handler) => {
    const distrust = handler.backend === 'script' ? scriptDistrust(handler, trust) : examine(handler.source);
    found.set(handler.name, await distrust);
  });
  const uses: [string, readonly Distrust[]][] = [...handlers.keys()].map((name) => [
    `handlers.${name}`,
    found.get(name) ?? [],
  ]);
  uses.push(['cache', await examine(cache)]);
  // The group of /var/log can delete the journal but not write to it, which only root can.
  if (journal !== null) uses.push(['journal.dir', await examine(journal.dir, { systemGroups: true })]);
  uses.push(['socket', await examine(dirname(socket), { sticky: true })]);
  return uses.flatMap(([use, all]) => all.map((distrust) => ({ use, distrust })));
}
