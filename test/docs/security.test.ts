import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';

const page = readFileSync(join(packageRoot, 'docs/security.md'), 'utf8');
const chapter = page.slice(
  page.indexOf('\n## Promises and proofs\n'),
  page.indexOf('\n## What is not protected against\n'),
);
const rows = chapter
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:promise|a script that|file|-)/u.test(line));
const testsIn = (text: string): string[] =>
  [...text.matchAll(/`(test\/[^`]+\.(?:ts|mjs))`/gu)].flatMap(([, file]) => file ?? []);

it('docs/security.md names a test for every promise', () => {
  const promises = rows.filter((row) => !/^\| `|^\|\s+\|/u.test(row));
  expect(promises.length).toBeGreaterThan(40);
  for (const row of promises) expect(testsIn(row), row).not.toEqual([]);
});

it('docs/security.md names no test that does not exist', () => {
  const absent = testsIn(page).filter((file) => !existsSync(join(packageRoot, file)));
  expect(absent).toEqual([]);
});
