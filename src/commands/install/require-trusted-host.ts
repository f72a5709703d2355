import { scriptDistrust } from '../../runtime/scripts/script-trust.js';
import { distrustError } from '../../runtime/files/distrust.js';
import { createPathTrust, type PathTrust } from '../../runtime/files/path-trust.js';
import { trustedOwner } from '../../runtime/files/trusted-owner.js';
import { hostDistrust } from './host-distrust.js';
import type { AdoptedHook } from './manifest.js';

/** Throws HookvisorError `untrusted` when users other than root can change what an installation on this system trusts. */
export async function requireTrustedHost(action: string): Promise<void> {
  const found = await hostDistrust(rootsOnly());
  if (found.length > 0) throw distrustError(action, found);
}

/**
 * Throws HookvisorError `untrusted` when users other than root can change hooks that are about to become handlers: the
 * runtime would refuse them, and with them every event.
 */
export async function requireTrustedHooks(adopted: readonly AdoptedHook[]): Promise<void> {
  const trust = rootsOnly();
  const hooks = adopted.flatMap(({ from, to }) => [from, to]);
  const examined = hooks.map(async (source) => {
    const distrust = await scriptDistrust({ source, layout: 'file' }, trust);
    return distrust.map((one) => ({ use: 'adopted hook', distrust: one }));
  });
  const found = (await Promise.all(examined)).flat();
  if (found.length > 0) throw distrustError('adopt the hooks', found);
}

/** The files of an installation belong to root, whoever previews the plan. */
function rootsOnly(): PathTrust {
  return createPathTrust(trustedOwner(0, 0));
}
