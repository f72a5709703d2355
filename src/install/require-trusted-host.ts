import { scriptDistrust } from '../backends/script-trust.js';
import { distrustError } from '../files/distrust.js';
import { createPathTrust } from '../files/path-trust.js';
import { trustedOwner } from '../files/trusted-owner.js';
import { hostDistrust } from './host-distrust.js';
import type { AdoptedHook } from './manifest.js';

/**
 * Throws HookvisorError `untrusted` when others than root may change what an installation on this system goes by, or hooks
 * that are to become handlers: the runtime would refuse those, and with them every event.
 */
export async function requireTrustedHost(action: string, adopted: readonly AdoptedHook[] = []): Promise<void> {
  const trust = createPathTrust(trustedOwner(0, 0));
  const hooks = adopted.flatMap(({ from, to }) => [from, to]);
  const found = hooks.map(async (source) => {
    const distrust = await scriptDistrust({ source, layout: 'file' }, trust);
    return distrust.map((one) => ({ use: 'adopted hook', distrust: one }));
  });
  const all = [...(await hostDistrust(trust)), ...(await Promise.all(found)).flat()];
  if (all.length > 0) throw distrustError(action, all);
}
