import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../paths.js';

/** Folder of the contract for components. */
export const witFolder = join(packageRoot, 'wit');

/** The worlds for which a component can be built. */
export type World = 'hook-handler' | 'configurable-hook-handler';

const packageLine = /^package\s[^;]+;/mu;

/**
 * The whole WIT package as one text. The tools take a text where they fail on a path, and a package may be split over
 * files but a text has room for one package line only.
 */
export async function witPackage(): Promise<string> {
  const names = (await readdir(witFolder)).filter((name) => name.endsWith('.wit')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(witFolder, name), 'utf8')));
  const line = packageLine.exec(texts.join('\n'))?.[0] ?? '';
  return [line, ...texts.map((text) => text.replace(packageLine, ''))].join('\n');
}
