import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { packageRoot } from '../../shared/paths.js';

/** The program that libvirt runs as a hook. */
export interface HookClient {
  /** Absolute path. */
  readonly path: string;
  readonly kind: 'native' | 'node';
}

/** Finds the native hook client, or the Node client where no compiler was found. Throws HookvisorError `usage`. */
export function findHookClient(): HookClient {
  const native = join(packageRoot, 'dist', 'hook-client');
  if (existsSync(native)) return { path: native, kind: 'native' };
  const node = `${native}.mjs`;
  if (existsSync(node)) return { path: node, kind: 'node' };
  throw new HookvisorError('usage', `Cannot find the hook client '${native}': it is not built; run 'npm run build'`);
}
