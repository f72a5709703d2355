import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder, write } from '../../support/temp.js';

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
});
