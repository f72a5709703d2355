import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';

// Node does not start with a flag that its V8 does not have, so the service would not either.
it('this Node takes the flags with which the unit starts the runtime', () => {
  const unit = readFileSync(join(packageRoot, 'packaging/hookvisor.service'), 'utf8');
  const flags = /^ExecStart=@NODE@ (.+) @MAIN@ serve/mu.exec(unit)?.[1]?.split(' ') ?? [];
  expect(flags).not.toEqual([]);
  const { status, stderr } = spawnSync(process.execPath, [...flags, '--eval', ''], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
