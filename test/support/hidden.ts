import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artefact } from '../../src/contract/artefact.js';
import { packageRoot } from '../../src/shared/paths.js';
import { componentBytes, extismWat, moduleBytes } from './plugins.js';

/** What a plugin hides from a reader that takes every block's type for one byte. */
export const hidden = ['loop', 'meter'] as const;

/** A plugin that does so when it is instantiated, and allows everything. */
export async function hiddenPlugin(backend: Artefact['backend'], what: (typeof hidden)[number]): Promise<Buffer> {
  const wat = readFileSync(join(packageRoot, 'test', 'fixtures', 'hostile', 'hidden', `${what}.wat`), 'utf8');
  // Before all else, so that its types and its global come first.
  if (backend === 'extism') return moduleBytes(extismWat('{"outcome":"allow"}', { imports: wat }));
  return componentBytes({ imports: wat, handle: '(i32.const 0)' });
}
