import { symlink, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/shared/paths.js';
import { hasPermissionModel, nodeCommand, packageFolders } from '../../../src/runtime/isolation/node-command.js';
import { temporaryFolder } from '../../support/sandbox.js';

describe('a program for Node', () => {
  const { command, readable } = nodeCommand({ file: '/x.js', heapMiB: 256, packages: ['zod', 'libxml2-wasm'] });

  it('is shown what was built and the packages that it imports, and not all of node_modules', () => {
    expect(readable).toEqual(
      ['dist', 'package.json', 'node_modules/zod', 'node_modules/libxml2-wasm'].map((name) => join(packageRoot, name)),
    );
  });

  it('may read these and is granted nothing else', (ctx) => {
    if (!hasPermissionModel) ctx.skip('this Node has no permission model');
    const reads = ['dist/*', 'package.json', 'node_modules/zod/*', 'node_modules/libxml2-wasm/*'];
    expect(command.filter((word) => word.startsWith('--allow'))).toEqual(
      reads.map((name) => `--allow-fs-read=${join(packageRoot, name)}`),
    );
  });
});

describe('a package', () => {
  it('is found where Node finds it, and where a link there leads', async () => {
    await using folder = await temporaryFolder();
    const own = join(folder.path, 'store', 'own', 'node_modules', 'own');
    const other = join(folder.path, 'store', 'other', 'node_modules', '@its', 'other');
    const link = join(folder.path, 'store', 'own', 'node_modules', '@its', 'other');
    for (const path of [own, other, join(link, '..')]) await mkdir(path, { recursive: true });
    await symlink(other, link);
    expect(packageFolders('@its/other', own)).toEqual([link, other]);
    expect(packageFolders('own', own)).toEqual([own]);
  });

  it('that is not installed has no folder', () => {
    expect(packageFolders('no-such-package', packageRoot)).toEqual([]);
  });
});
