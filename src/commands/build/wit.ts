import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../shared/paths.js';

/** Folder of the WIT contract for components. */
export const witFolder = join(packageRoot, 'wit');

/** The worlds that a component can implement. */
export type World = 'hook-handler' | 'configurable-hook-handler';

const packageLine = /^package\s[^;]+;/mu;

/**
 * Returns the whole WIT package as one text. The tools fail on a path but accept text. A package may be split over
 * files, but a text may contain only one package line.
 */
export async function witPackage(): Promise<string> {
  const names = (await readdir(witFolder)).filter((name) => name.endsWith('.wit')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(witFolder, name), 'utf8')));
  const line = packageLine.exec(texts.join('\n'))?.[0] ?? '';
  return [line, ...texts.map((text) => text.replace(packageLine, ''))].join('\n');
}
