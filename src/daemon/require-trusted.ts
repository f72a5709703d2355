import { dirname } from 'node:path';
import { scriptDistrust } from '../backends/script-trust.js';
import type { Config } from '../config/config.js';
import { distrustError, type Distrust, type DistrustedUse } from '../files/distrust.js';
import { createPathTrust, type PathTrust } from '../files/path-trust.js';
import { forEachLimited } from '../for-each-limited.js';

/** Handlers examined at the same time. With all at once, the files of events in flight would queue behind theirs. */
const atATime = 16;

/**
 * Examines everything that a configuration makes the runtime execute or believe: scripts with their interpreters, plugins,
 * the cache, the journal, and the folder of the socket. Throws HookvisorError `untrusted` that lists every path which
 * others than root and this process' user may change. Not for the path of an event: a path that holds now can only be
 * changed by those who may.
 */
export async function requireTrusted(config: Config): Promise<PathTrust> {
  const trust = createPathTrust();
  const found = await configDistrust(config, trust);
  if (found.length > 0) throw distrustError(`use '${config.file}'`, found);
  return trust;
}

/** What {@link requireTrusted} refuses, with the keys of the configuration that name it. */
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
  // A member of the group of /var/log can take the journal away but cannot write one: that is for root alone.
  if (journal !== null) uses.push(['journal.dir', await examine(journal.dir, { systemGroups: true })]);
  uses.push(['socket', await examine(dirname(socket), { sticky: true })]);
  return uses.flatMap(([use, all]) => all.map((distrust) => ({ use, distrust })));
}
