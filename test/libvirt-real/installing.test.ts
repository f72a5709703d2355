import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { createHost, type Host } from './support/host.js';
import { defineGuest, must } from './support/objects.js';
import { terminalPicture } from './support/terminal-picture.js';

/** In these tests Hookvisor is installed on the machine itself, where a libvirtd runs that knows of no hooks. */
let host: Host;
const at = (path: string): string => join(host.machine.root, path);
beforeAll(async () => {
  host = await createHost({ installed: false });
  await defineGuest(host, 'tiny');
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
});

const picture = join(packageRoot, 'docs', 'denial.svg');

/** Draws the README's picture from what virsh has said: HOOKVISOR_PICTURE=1 npm run test:libvirt -- installing */
function drawDenial(err: string): void {
  if (process.env['HOOKVISOR_PICTURE'] === undefined) return;
  const printed = err
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
  const session = [
    { text: 'cat /etc/hookvisor/hookvisor.yaml', typed: true },
    ...readFileSync(at('etc/hookvisor/hookvisor.yaml'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => ({ text })),
    { text: 'virsh start tiny', typed: true },
    ...printed.map((text) => ({ text })),
  ];
  writeFileSync(picture, terminalPicture(session));
}

const startAndDestroy = async (): Promise<void> => {
  await must(host.virsh('start', 'tiny'));
  await must(host.virsh('destroy', 'tiny'));
};

describe('docs/install.md, followed to the letter', () => {
  const guide = readFileSync(join(packageRoot, 'docs', 'install.md'), 'utf8');

  it('install --reload-libvirt: the libvirtd that runs asks from now on, and is denied while no runtime runs', async () => {
    const installed = await host.hookvisor('install', '--reload-libvirt');
    expect(installed).toMatchObject({ status: 0 });
    expect(installed.said).toMatch(/^reloaded libvirtd \(pid \d+\)$/mu);
    expect(installed.said).toContain('start the runtime (until then the hooks deny)');
    const { err } = await host.virsh('start', 'tiny');
    expect(err).toContain('hookvisor: the runtime at /run/hookvisor/hookvisor.sock cannot be reached');
  });

  it('the runtime is started: guests start', async () => {
    await host.startRuntime();
    await startAndDestroy();
    expect((await host.events('tiny')).map(({ event }) => event.event)).toContain('prepare');
  });

  it('a plugin denies, with the words of the guide', async () => {
    const [, yaml = ''] = /<<'YAML'\n([\s\S]*?)\nYAML/u.exec(guide) ?? [];
    mkdirSync(at('etc/hookvisor/plugins'));
    copyFileSync(join(packageRoot, 'plugins/naming/build/naming.wasm'), at('etc/hookvisor/plugins/naming.wasm'));
    writeFileSync(at('etc/hookvisor/hookvisor.yaml'), yaml);
    expect(await host.hookvisor('check')).toMatchObject({ status: 0 });
    expect(await host.hookvisor('reload')).toMatchObject({ status: 0 });
    const [, promised = ''] = /^unexpected exit status 1: (.*)$/mu.exec(guide) ?? [];
    expect(promised).toContain('naming: ');
    const { err } = await host.virsh('start', 'tiny');
    expect(err).toContain(`unexpected exit status 1: ${promised}\n`);
    drawDenial(err);
  });

  it('the picture in the README shows this denial', () => {
    const [, promised = ''] = /^unexpected exit status 1: (.*)$/mu.exec(guide) ?? [];
    const shown = readFileSync(picture, 'utf8').replace(/<[^>]*>|\s/gu, '');
    expect(shown).toContain('#virshstarttiny');
    expect(shown).toContain(promised.replace(/\s/gu, ''));
  });

  it('doctor finds the hooks in place and libvirt told', async () => {
    const { said } = await host.hookvisor('doctor');
    for (const driver of ['daemon', 'qemu', 'lxc', 'network']) {
      expect(said).toContain(`ok    hooks: '/etc/libvirt/hooks/${driver}' is the native client of this release\n`);
    }
    expect(said).toMatch(/^ok {4}libvirt told: libvirtd \(pid \d+\) knows the hooks$/mu);
    expect(said).not.toMatch(/^fail/mu);
  });

  it('uninstall: libvirt asks no longer, without being told', async () => {
    expect(await host.hookvisor('uninstall')).toMatchObject({ status: 0 });
    const recorded = (await host.events('tiny')).length;
    await startAndDestroy();
    expect((await host.events('tiny')).length).toBe(recorded);
    await host.stopRuntime();
  });
});

describe('install --adopt, where /etc/hookvisor is another file system', () => {
  const script = '#!/bin/sh\n# \xe9: not UTF-8\n[ "$2" != prepare ] || { echo "the old hook says no" >&2; exit 3; }\n';

  it('the old hook decides as a handler, and uninstall puts it back byte for byte', async () => {
    const mount = host.machine.start('mount', 'mount', '-t', 'tmpfs', '-o', 'mode=0755', 'none', '/etc/hookvisor');
    await mount.ended;
    expect(mount.child.exitCode).toBe(0);
    const hook = at('etc/libvirt/hooks/qemu');
    expect(existsSync(hook)).toBe(false);
    writeFileSync(hook, script, 'latin1');
    chmodSync(hook, 0o4750);
    const before = lstatSync(hook);
    expect(await host.hookvisor('install', '--adopt', '--reload-libvirt')).toMatchObject({ status: 0 });
    expect(readFileSync(hook).subarray(0, 4).toString('latin1')).toBe('\x7fELF');

    await host.startRuntime();
    const { err } = await host.virsh('start', 'tiny');
    expect(err).toMatch(/unexpected exit status 1: [\w.-]+: the old hook says no\n/u);
    await host.stopRuntime();

    expect(await host.hookvisor('uninstall')).toMatchObject({ status: 0 });
    expect(readFileSync(hook, 'latin1')).toBe(script);
    const { mode, uid, gid, mtimeMs } = before;
    expect(lstatSync(hook)).toMatchObject({ mode, uid, gid, mtimeMs });
    expect((await host.virsh('start', 'tiny')).err).toContain('unexpected exit status 3: the old hook says no');
  });
});
