import { join } from 'node:path';
import { packageRoot } from '../../src/shared/paths.js';

/** Absolute path of a sample plug-in as the build leaves it. */
export function samplePlugin(name: 'naming' | 'quota' | 'tiny-allow'): string {
  return join(packageRoot, 'plugins', name, 'build', `${name}.wasm`);
}
