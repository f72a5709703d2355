import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { watToComponent, watToModule } from '../../scripts/wat.mjs';
import { undocumented, witPackage } from '../../scripts/wit.mjs';
import { packageRoot } from '../../src/shared/paths.js';
import { temporaryFolder } from '../support/temp.js';

const run = promisify(execFile);

describe('the WIT', () => {
  it('has a version and a doc comment on every declaration', async () => {
    expect(await undocumented()).toEqual([]);
  });

  it('is told where it has none', async () => {
    const folder = temporaryFolder();
    await cp(join(packageRoot, 'wit'), folder, { recursive: true });
    const file = join(folder, 'settings.wit');
    const text = await readFile(file, 'utf8');
    await writeFile(
      file,
      text.replace(/^ +\/\/\/.*\n/gmu, '').replace('@since(version = 0.1.0)\ninterface', 'interface'),
    );
    expect(await undocumented(folder)).toEqual([
      'wit/settings.wit:4: interface settings { has no @since',
      'wit/settings.wit:6: json: func() -> string; has no doc comment',
    ]);
  });

  it('is one package', async () => {
    expect((await witPackage()).match(/^package .*$/gmu)).toEqual(['package hookvisor:hook@0.1.0;']);
  });
});

describe('generate', () => {
  it('has nothing to write: schemas and guest types are up to date', async () => {
    const { stderr } = await run(process.execPath, [join(packageRoot, 'scripts/generate.mjs'), '--check']);
    expect(stderr).toBe('');
  });
});

describe('WAT', () => {
  it('errors name line, column and complaint', async () => {
    await expect(watToModule('(module\n  (fun))')).rejects.toThrow(
      'Cannot assemble WAT: line 2, column 4: expected valid module field',
    );
  });

  it('becomes a core module or a component', async () => {
    expect([...(await watToModule('(module)')).subarray(4, 8)]).toEqual([1, 0, 0, 0]);
    expect([...(await watToModule('(component)')).subarray(4, 8)]).toEqual([13, 0, 1, 0]);
  });

  it('without the handler is no component of the world', async () => {
    await expect(watToComponent('(module)', 'hook-handler')).rejects.toThrow(/hookvisor:hook\/handler@0\.1\.0/u);
  });
});
