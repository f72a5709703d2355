import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';

const map = readFileSync(join(packageRoot, 'docs/source.md'), 'utf8');

/** The folders in the tables of a chapter. */
function listedIn(heading: string): string[] {
  const chapter = map.slice(map.indexOf(`\n## ${heading}\n`) + 4).split('\n## ')[0] ?? '';
  return [...chapter.matchAll(/^\| `(?:src\/)?([a-z-]+)\/`/gmu)].map((match) => match[1] ?? '');
}

const foldersOf = (path: string): string[] =>
  readdirSync(join(packageRoot, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

it.each([
  ['src', 'Zones'],
  ['src/admission', 'In src/admission'],
  ['src/runtime', 'In src/runtime'],
  ['src/commands', 'In src/commands'],
])('docs/source.md has a row for each folder of %s', (path, heading) => {
  expect(listedIn(heading).sort()).toEqual(foldersOf(path).sort());
});
