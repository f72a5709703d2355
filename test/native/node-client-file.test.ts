import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { builtinModules } from 'node:module';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { temporaryFolder } from '../support/temp.js';

const built = join(packageRoot, 'dist/hook-client.mjs');

describe('dist/hook-client.mjs', () => {
  it('stands alone: it needs no other file, and loads nothing but what is in Node', () => {
    const dir = temporaryFolder();
    copyFileSync(built, join(dir, 'hook-client.mjs'));
    symlinkSync(join(dir, 'hook-client.mjs'), join(dir, 'qemu'));
    const env = { PATH: process.env['PATH'], HOOKVISOR_SOCKET: join(dir, 'none'), HOOKVISOR_UNREACHABLE: '/dev/null' };
    const run = spawnSync(join(dir, 'qemu'), ['vm', 'start', 'begin', '-'], { env, encoding: 'utf8', input: '' });
    expect(run.stderr).toContain('which does not say deny, allow or script');
    expect(run.status).toBe(1);
    const loaded = [...readFileSync(built, 'utf8').matchAll(/\b(?:from|import)\b\s*\(?["']([^"']+)["']/gu)];
    const names = loaded.map(([, name = '']) => name.replace(/^node:/u, ''));
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !builtinModules.includes(name))).toEqual([]);
  });

  it('is a program that starts Node', () => {
    expect(statSync(built).mode & 0o777).toBe(0o755);
    expect(readFileSync(built, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true);
  });

  it('does not load what only a script needs before there is one', () => {
    const listed = `process.on('exit', () => console.error(process.moduleLoadList.join('\\n')))`;
    const dir = temporaryFolder();
    const hook = join(dir, 'list.cjs');
    execFileSync(process.execPath, ['-e', `fs.writeFileSync(process.argv[1], ${JSON.stringify(listed)})`, hook]);
    const env = { PATH: process.env['PATH'], HOOKVISOR_SOCKET: join(dir, 'none'), HOOKVISOR_UNREACHABLE: '/dev/null' };
    const args = ['--require', hook, built, 'vm', 'start', 'begin', '-'];
    const { stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8', input: '' });
    expect(stderr).toContain('NativeModule net');
    expect(stderr).not.toContain('NativeModule child_process');
  });
});
