import { readShortFile } from '../../client/short-file.js';
import type { DistrustedUse } from '../../runtime/files/distrust.js';
import type { PathTrust } from '../../runtime/files/path-trust.js';
import { parseUnreachablePolicy, policyBytes } from '../../contract/unreachable-policy.js';
import { places } from './places.js';

/** Finds what others can change among the files that the client, `install` and `uninstall` trust on this system. */
export async function hostDistrust(trust: PathTrust): Promise<DistrustedUse[]> {
  const script = policyScript();
  const used: [use: string, path: string][] = [
    ['policy', places.unreachable],
    ...(script === null ? [] : [['policy script', script] satisfies [string, string]]),
    ['manifest', places.manifest],
  ];
  const found = used.map(async ([use, path]) => {
    return (await trust.examine(path)).distrust.map((distrust) => ({ use, distrust }));
  });
  return (await Promise.all(found)).flat();
}

/** Returns the script that the client runs when the runtime is unreachable; null when the policy names none. */
function policyScript(): string | null {
  try {
    const { action, script } = parseUnreachablePolicy(readShortFile(places.unreachable, policyBytes).bytes);
    return action === 'script' ? script : null;
  } catch {
    return null;
  }
}
