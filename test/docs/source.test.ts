import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/paths.js';

const map = readFileSync(join(packageRoot, 'docs/source.md'), 'utf8');

/** The folders of the table that follows some words. */
function listedAfter(words: string): string[] {
  const table = map.slice(map.indexOf(words)).split('\n\n')[1] ?? '';
  return [...table.matchAll(/^\| `(?:src\/)?([a-z]+)\/`/gmu)].map((match) => match[1] ?? '');
}

const foldersOf = (path: string): string[] =>
  readdirSync(join(packageRoot, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

it.each([
  ['src', 'One concept per file'],
  ['src/sandbox', 'Within `src/sandbox/`'],
])('docs/source.md has a row for each folder of %s', (path, words) => {
  expect(listedAfter(words).sort()).toEqual(foldersOf(path).sort());
});
