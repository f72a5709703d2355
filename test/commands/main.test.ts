import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';

const main = join(packageRoot, 'dist/commands/main.js');

it('hookvisor can be started by its path, as docs/install.md links it', () => {
  expect(statSync(main).mode & 0o777).toBe(0o755);
  expect(spawnSync(main, ['--version'], { encoding: 'utf8' }).stdout).toMatch(/^\d+\.\d+\.\d+\n$/u);
});

it('ends quietly when its reader has enough', () => {
  const { stderr, stdout } = spawnSync(
    'sh',
    ['-c', '"$1" "$2" completion bash | head -c 1', 'sh', process.execPath, main],
    {
      encoding: 'utf8',
    },
  );
  expect(stdout).toHaveLength(1);
  expect(stderr).toBe('');
});
