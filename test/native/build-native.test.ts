import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';

describe('scripts/build-native.mjs', () => {
  let folder = '';

  function build(environment: Record<string, string> = {}): { status: number | null; stdout: string; stderr: string } {
    const script = join(packageRoot, 'scripts/build-native.mjs');
    const env = { PATH: process.env['PATH'], ...environment };
    return spawnSync(process.execPath, [script, join(folder, 'out')], { encoding: 'utf8', env });
  }

  function compiler(body: string): string {
    const path = join(folder, 'compiler');
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  const built = (name: string): string => join(folder, 'out', name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'build-native-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('builds every native program, and leaves nothing half done', () => {
    expect(build()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(readdirSync(join(folder, 'out')).sort()).toEqual([
      '.gate.stamp',
      '.hook-client.stamp',
      '.spawner.stamp',
      '.without-libvirt.stamp',
      'gate',
      'hook-client',
      'spawner',
      'without-libvirt',
    ]);
    for (const name of ['gate', 'hook-client', 'spawner', 'without-libvirt']) {
      expect(statSync(built(name)).mode & 0o111).toBe(0o111);
    }
  });

  it('builds the client with musl-gcc where that is installed: a tenth of the size, and no CPUID before main()', (ctx) => {
    const musl = spawnSync('sh', ['-c', 'command -v musl-gcc']);
    if (musl.status !== 0) ctx.skip('musl-gcc is not installed');
    build();
    expect(statSync(built('hook-client')).size).toBeLessThan(150_000);
    expect(statSync(built('gate')).size).toBeGreaterThan(statSync(built('hook-client')).size);
    const { size } = statSync(built('hook-client'));
    build({ CC: 'cc' });
    expect(statSync(built('hook-client')).size).not.toBe(size);
  });

  it('compiles again only when something changed', () => {
    build();
    const first = statSync(built('hook-client')).ino;
    build();
    expect(statSync(built('hook-client')).ino).toBe(first);
    writeFileSync(built('.hook-client.stamp'), 'another');
    build();
    expect(statSync(built('hook-client')).ino).not.toBe(first);
  });

  it('without a compiler drops outdated programs, and says so', () => {
    build();
    const result = build({ CC: '/nowhere/cc' });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toBe(
      `note: no working C compiler ('/nowhere/cc'), so hooks use the client in Node, ` +
        `about 60 ms slower for each hook call, the runtime takes 0.3 ms more, and script handlers cannot be loaded; ` +
        `install gcc and libc6-dev, then run npm run build again\n`,
    );
    expect([existsSync(built('hook-client')), existsSync(built('spawner')), existsSync(built('gate'))]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('links dynamically where there is no static C library, and says so', () => {
    const result = build({ CC: compiler(`case " $* " in *" -static "*) exit 1;; esac; exec cc "$@"`) });
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('is linked dynamically');
    expect(existsSync(built('hook-client'))).toBe(true);
  });

  it('fails when the compiler works and a program does not compile', () => {
    const refuse = `case "$*" in *job.c*) echo 'job.c: broken' >&2; exit 1;; esac; exec cc "$@"`;
    const result = build({ CC: compiler(refuse) });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^Cannot compile '.*spawner\.c', '.*job\.c' with '.*':\njob\.c: broken\n$/);
    expect(existsSync(built('spawner'))).toBe(false);
  });
});
