import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder, writeScript } from '../../support/temp.js';

const analyzer = join('/usr/bin', 'systemd-analyze');

describe('install', () => {
  it('shows with --dry-run what it would do, and does nothing', async () => {
    const root = temporaryFolder();
    await writeScript(root, 'etc/libvirt/hooks/qemu', 'exit 0');
    const { status, out } = await hookvisor('install', '--root', root, '--adopt', '--dry-run');
    expect(status).toBe(0);
    expect(out).toContain('keep   /etc/libvirt/hooks/qemu as /etc/hookvisor/adopted/hooks/qemu');
    expect(out).toContain('nothing was changed (--dry-run)');
    expect(readdirSync(join(root, 'etc'))).toEqual(['libvirt']);
  });

  it('prints its result as JSON, and says the second time that nothing is left to do', async () => {
    const root = temporaryFolder();
    await writeScript(root, 'etc/libvirt/hooks/qemu', 'exit 0');
    const first = await hookvisor('install', '--root', root, '--adopt', '--drivers', 'qemu,libxl', '--json');
    expect(JSON.parse(first.out)).toMatchObject({
      done: true,
      root,
      handlers: [{ handler: 'qemu', was: '/etc/libvirt/hooks/qemu', source: '/etc/hookvisor/adopted/hooks/qemu' }],
      told: [],
    });
    expect(readdirSync(join(root, 'etc/libvirt/hooks')).sort()).toEqual(['libxl', 'qemu']);
    const second = await hookvisor('install', '--root', root, '--drivers', 'qemu,libxl');
    expect(second.out).toBe('nothing to do: everything is installed\n');
  });

  it.each(['--start', '--reload-libvirt'])('refuses %s with --root', async (option) => {
    const root = temporaryFolder();
    expect(await hookvisor('install', '--root', root, option)).toMatchObject({
      status: 2,
      err: `hookvisor: Cannot use '${option}' with --root: no service runs below '${root}'; remove the option\n`,
    });
    expect(readdirSync(root)).toEqual([]);
  });

  it('refuses the name of no driver', async () => {
    const { status, err } = await hookvisor('install', '--drivers', 'qemu,../x');
    expect(status).toBe(2);
    expect(err).toContain('Expected names from daemon, qemu, lxc, libxl, bhyve, network, separated by commas.');
  });

  it('refuses to change the system for anybody but root', async (ctx) => {
    if (process.geteuid?.() === 0) ctx.skip('runs as a plain user only');
    const { status, err } = await hookvisor('install');
    expect(status).toBe(2);
    expect(err).toContain("Cannot change '/': only root may");
  });

  it('writes units that systemd understands without a complaint', (ctx) => {
    if (spawnSync(analyzer, ['--version']).status !== 0) {
      ctx.skip('systemd-analyze is not installed; apt install systemd');
    }
    return verifyUnits();
  });
});

async function verifyUnits(): Promise<void> {
  const root = temporaryFolder();
  await hookvisor('install', '--root', root, '--scripts');
  const units = ['hookvisor.service', 'hookvisor.socket'].map((name) => join(root, 'etc/systemd/system', name));
  const run = spawnSync(analyzer, ['verify', ...units], { encoding: 'utf8', timeout: 30_000 });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
}

describe('uninstall', () => {
  it('takes everything away, and says so the second time', async () => {
    const root = temporaryFolder();
    await hookvisor('install', '--root', root);
    const dry = await hookvisor('uninstall', '--root', root, '--dry-run');
    expect(dry.out).toContain('remove /etc/libvirt/hooks/qemu\n');
    expect(existsSync(join(root, 'etc/libvirt/hooks/qemu'))).toBe(true);
    expect(await hookvisor('uninstall', '--root', root)).toMatchObject({ status: 0 });
    expect(execFileSync('find', [root, '-type', 'f'], { encoding: 'utf8' })).toBe('');
    const again = await hookvisor('uninstall', '--root', root);
    expect(again.out).toBe('nothing to do: nothing is installed\n');
  });
});
