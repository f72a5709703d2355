import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import * as api from '../../src/index.js';
import { packageRoot } from '../../src/shared/paths.js';
import { temporaryFolder } from '../support/temp.js';

const guide = readFileSync(join(packageRoot, 'docs', 'library.md'), 'utf8');

it('the example of docs/library.md runs as it stands, and denies', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(packageRoot, join(folder, 'node_modules', 'hookvisor'));
  const naming = join(packageRoot, 'plugins', 'naming', 'build', 'naming.wasm');
  const config = [
    `{ version: 1, cache: ${join(folder, 'cache')}, sandbox: { require: process },`,
    `handlers: { naming: { backend: component, source: ${naming}, failurePolicy: fail } },`,
    'routes: [{ match: {}, handlers: [naming] }] }',
  ];
  writeFileSync(join(folder, 'hookvisor.yaml'), config.join('\n'));
  const [, example = ''] = /```js\n(.*?)```/su.exec(guide) ?? [];
  writeFileSync(join(folder, 'example.mjs'), example);
  const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder });
  expect(stdout).toBe('deny the name "Bad_Name" does not match ^[a-z][a-z0-9-]*$; rename the domain null\n');
});

it('docs/library.md names nothing that is not exported', () => {
  const table = guide.slice(guide.indexOf('| export'));
  const named = [...table.matchAll(/^\| (.*?) \|/gmu)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)(?:\([^)]*\))?`/gu)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(10);
  for (const name of named) expect(api).toHaveProperty(name);
});
