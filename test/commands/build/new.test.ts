import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { requirePackages } from '../../../src/commands/build/author-packages.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder, write } from '../../support/temp.js';

const run = promisify(execFile);

describe('new', () => {
  it('makes source, settings schema, cases and a README, and says what to do next', async () => {
    const folder = join(temporaryFolder(), 'vcpus');
    const run = await hookvisor('new', folder, '--language', 'ts');
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toContain(`Next: hookvisor build ${folder} && hookvisor test ${folder}`);
    for (const file of ['src/handler.ts', 'settings.schema.json', 'cases.yaml', 'README.md', '.gitignore']) {
      expect(existsSync(join(folder, file))).toBe(true);
    }
  });

  it('does not touch a folder that holds anything', async () => {
    const folder = temporaryFolder();
    await write(folder, 'mine.txt', '');
    const run = await hookvisor('new', folder, '--language', 'wat');
    expect(run.status).toBe(2);
    expect(run.err).toContain(`Cannot create the project '${folder}': the folder is not empty; specify another folder`);
    expect(existsSync(join(folder, 'plugin.yaml'))).toBe(false);
  });

  it('refuses a name that no handler can have', async () => {
    const run = await hookvisor('new', join(temporaryFolder(), 'a b'), '--language', 'c');
    expect(run.status).toBe(2);
    expect(run.err).toContain("'a b' is not a valid name; use letters");
  });

  it('refuses a language that it does not know', async () => {
    const run = await hookvisor('new', 'x', '--language', 'cobol');
    expect(run.status).toBe(2);
    expect(run.err).toContain('Expected one of ts, as, c, rust, go, wat.');
  });

  it('names the packages that a build takes, in the versions of the development environment', async () => {
    const manifest = z.object({ devDependencies: z.record(z.string(), z.string()) });
    const read = async (folder: string): Promise<Record<string, string>> =>
      manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))).devDependencies;
    const ours = await read(packageRoot);
    for (const language of ['ts', 'as', 'c', 'rust', 'go', 'wat']) {
      const folder = join(temporaryFolder(), 'vcpus');
      await hookvisor('new', folder, '--language', language);
      for (const [name, version] of Object.entries(await read(folder)))
        expect([name, version]).toEqual([name, ours[name]]);
    }
  });

  it('makes a TypeScript project whose types an editor finds without Hookvisor', async () => {
    const folder = join(temporaryFolder(), 'vcpus');
    await hookvisor('new', folder, '--language', 'ts');
    const { stdout } = await run(process.execPath, [
      join(packageRoot, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]);
    expect(stdout).toBe('');
  });
});

describe('build', () => {
  it('names every package that is missing or has another version, and one command for all', async () => {
    const folder = join(temporaryFolder(), "it's");
    await write(folder, 'node_modules/binaryen/package.json', '{ "version": "132.0.0" }');
    await write(folder, 'node_modules/typescript/package.json', '{ "version": "7.0.2" }');
    await write(folder, 'node_modules/componentize-qjs/package.json', '{ "version": "0.4.5" }');
    expect(() => {
      requirePackages(folder, 'ts');
    }).toThrow(
      `Cannot build '${folder}': 'binaryen' is version 132.0.0, 'typescript' is version 7.0.2; ` +
        `run: (cd '${folder.replace("'", String.raw`'\''`)}' && npm install --save-dev --save-exact binaryen@130.0.0 typescript@6.0.3)`,
    );
    await write(folder, 'node_modules/binaryen/package.json', '{ "version": "130.0.1" }');
    await write(folder, 'node_modules/typescript/package.json', '{ "version": "6.0.9" }');
    requirePackages(folder, 'ts');
  });
});
