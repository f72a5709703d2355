import { dirname } from 'node:path';
import { scriptDistrust } from '../backends/script-trust.js';
import type { Config } from '../config/config.js';
import { distrustError, type Distrust, type DistrustedUse } from '../files/distrust.js';
import { createPathTrust, type PathTrust } from '../files/path-trust.js';

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
  const examined: Promise<[string, readonly Distrust[]]>[] = [];
  const add = (use: string, distrust: Promise<readonly Distrust[]>): void => {
    examined.push(distrust.then((all) => [use, all]));
  };
  const examine: (...args: Parameters<PathTrust['examine']>) => Promise<readonly Distrust[]> = async (...args) =>
    (await trust.examine(...args)).distrust;
  for (const [name, handler] of handlers) {
    add(`handlers.${name}`, handler.backend === 'script' ? scriptDistrust(handler, trust) : examine(handler.source));
  }
  add('cache', examine(cache));
  // The group of /var/log can delete the journal but not write to it, which only root can.
  if (journal !== null) add('journal.dir', examine(journal.dir, { systemGroups: true }));
  add('socket', examine(dirname(socket), { sticky: true }));
  return (await Promise.all(examined)).flatMap(([use, all]) => all.map((distrust) => ({ use, distrust })));
}
