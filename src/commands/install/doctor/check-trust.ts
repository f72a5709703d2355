import { join } from 'node:path';
import { createPathTrust } from '../../../runtime/files/path-trust.js';
import { examineTree } from '../../../runtime/files/examine-tree.js';
import { distrustRemedy, distrustText, type DistrustedUse, joinUses } from '../../../runtime/files/distrust.js';
import { examineConfig } from '../../../runtime/config/load.js';
import { configDistrust } from '../../../runtime/require-trusted.js';
import { packageRoot } from '../../../shared/paths.js';
import { hostDistrust } from '../host-distrust.js';
import type { InstalledHook } from './check-hooks.js';
import { fail, ok, type Finding } from './finding.js';

/** Depth of folders in dist/. */
const packageDepth = 8;

/** Checks that only root can change what root executes and trusts: Hookvisor, its configuration, and what that names. */
export async function checkTrust(config: string, installed: readonly InstalledHook[]): Promise<Finding[]> {
  const check = 'trust';
  const trust = createPathTrust();
  const found: DistrustedUse[] = [];
  const add = (use: string, distrust: readonly DistrustedUse['distrust'][]): void => {
    found.push(...distrust.map((one) => ({ use, distrust: one })));
  };
  add('Node', (await trust.examine(process.execPath)).distrust);
  add('package', (await examineTree(join(packageRoot, 'dist'), packageDepth, trust)).distrust);
  add('package', (await trust.examine(join(packageRoot, 'node_modules'))).distrust);
  for (const { path } of installed) add('hook', (await trust.examine(path)).distrust);
  found.push(...(await hostDistrust(trust)));
  try {
    const examined = await examineConfig(config, trust);
    add('configuration', examined.distrust);
    found.push(...(await configDistrust(examined.config, trust)));
  } catch {
    // The check of the configuration reports why it cannot be used.
  }
  const users = process.geteuid?.() === 0 ? 'root' : 'root and this user';
  if (found.length === 0) return [ok(check, `only ${users} can change what the runtime executes and trusts`)];
  return joinUses(found).map(({ uses, distrust }) =>
    fail(check, `${uses}: ${distrustText(distrust)}`, distrustRemedy(distrust)),
  );
}
