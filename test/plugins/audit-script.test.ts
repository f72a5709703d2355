import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { captures } from '../support/captures.js';

const script = join(packageRoot, 'plugins/audit-script/audit-script.sh');

function run(args: readonly string[], document: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(script, args, { input: document, encoding: 'utf8', env: {}, cwd: '/' });
  return { status, stdout, stderr };
}

const passed = { status: 0, stdout: '', stderr: '' };
const start = ['x', 'start', 'begin', '-'];
const domain = (emulator: string): string =>
  `<domain type='qemu' id='1'>\n  <devices>\n${emulator}  </devices>\n</domain>\n`;

describe('audit-script', () => {
  it('passes every recorded call', () => {
    for (const { argv, stdin } of captures) {
      if (stdin !== null) expect(run(argv, stdin)).toEqual(passed);
    }
  });

  it('denies a start without an emulator', () => {
    expect(run(start, domain(''))).toEqual({
      status: 1,
      stdout: '',
      stderr: 'the domain names no emulator; add <emulator> to its <devices>\n',
    });
  });

  it.each([
    ['/tmp/qemu', '/tmp/qemu'],
    ['/usr/bin/../../tmp/qemu', '/usr/bin/../../tmp/qemu'],
    ['/usr/bin-evil/qemu', '/usr/bin-evil/qemu'],
    ['/tmp/$(touch x);`id`', '/tmp/??touch?x???id?'],
    ['not a domain/', 'not?a?domain/'],
    ['-n', '-n'],
    ['/usr/\u001b[31m', '/usr/??31m'],
  ])('denies the emulator %j', (emulator, shown) => {
    expect(run(start, domain(`    <emulator>${emulator}</emulator>\n`))).toEqual({
      status: 1,
      stdout: '',
      stderr: `the emulator ${shown} is not one of the system; use one in /usr/bin, /usr/lib, /usr/lib64 or /usr/libexec\n`,
    });
  });

  it('takes the emulator of the devices only', () => {
    const hidden = `<domain type='qemu'>\n  <description>&lt;emulator&gt;/usr/bin/x&lt;/emulator&gt;</description>\n</domain>\n`;
    expect(run(start, hidden)).toMatchObject({ status: 1 });
  });

  it.each([['-rf'], ['$(id)'], ["'"]])('is not confused by an object called %j', (name) => {
    expect(run([name, 'stopped', 'end', '-'], '')).toEqual(passed);
    expect(run([name, 'start', 'begin', '-'], domain('    <emulator>/usr/bin/qemu</emulator>\n'))).toEqual(passed);
  });
});
