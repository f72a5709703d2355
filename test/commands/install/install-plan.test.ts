import {
  chmodSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/runtime/config/load.js';
import { HookvisorError } from '../../../src/contract/errors.js';
import { applySteps } from '../../../src/commands/install/apply.js';
import { planInstall, type InstallOptions, type InstallPlan } from '../../../src/commands/install/install-plan.js';
import { defaultHooks } from '../../../src/commands/install/places.js';
import { planUninstall } from '../../../src/commands/install/uninstall-plan.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { temporaryFolder } from '../../support/temp.js';

const client = readFileSync(join(packageRoot, 'dist', 'hook-client'));
const hooks = 'etc/libvirt/hooks';

function plan(root: string, options: Partial<InstallOptions> = {}): InstallPlan {
  return planInstall({ root, drivers: defaultHooks, adopt: false, scripts: false, runsFolders: true, ...options });
}

function install(root: string, options: Partial<InstallOptions> = {}): InstallPlan {
  const made = plan(root, options);
  applySteps(root, [...made.prepare, ...made.hooks]);
  return made;
}

function uninstall(root: string): readonly string[] {
  const { hooks: first, rest, notes } = planUninstall(root);
  applySteps(root, [...first, ...rest]);
  return notes;
}

function put(root: string, path: string, text: string, mode = 0o755): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  utimesSync(file, 1_600_000_000, 1_600_000_000.5);
}

/** Everything below a folder with bytes, mode, owner and time of modification. */
function picture(root: string): Record<string, string> {
  const seen: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(root, name);
    const found = lstatSync(path);
    const mode = found.mode.toString(8);
    if (found.isDirectory()) seen[name] = `folder ${mode}`;
    else {
      const content = found.isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, 'utf8');
      seen[name] = `${mode} ${String(found.uid)}:${String(found.gid)} ${String(found.mtimeMs)} ${content}`;
    }
  }
  return seen;
}

function refusalOf(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof HookvisorError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('an installation where no hooks are', () => {
  it('puts the client in place of every hook, a configuration that can be used, the policy and the units', async () => {
    const root = temporaryFolder();
    const { unknownToLibvirt, notes } = install(root);
    for (const driver of ['daemon', 'qemu', 'lxc', 'network']) {
      expect(readFileSync(join(root, hooks, driver)).equals(client)).toBe(true);
      expect(statSync(join(root, hooks, driver)).mode & 0o7777).toBe(0o755);
    }
    expect(readdirSync(join(root, hooks))).toHaveLength(4);
    expect(unknownToLibvirt).toEqual(['daemon', 'qemu', 'lxc', 'network']);
    expect(notes).toEqual([]);
    const config = await loadConfig(join(root, 'etc/hookvisor/hookvisor.yaml'));
    expect(config.handlers.size).toBe(0);
    expect(readFileSync(join(root, 'etc/hookvisor/unreachable'), 'utf8')).toMatch(/^deny$[^]*^deadline 90$/mu);
    const unit = readFileSync(join(root, 'etc/systemd/system/hookvisor.service'), 'utf8');
    expect(unit).toContain(
      `ExecStart=${process.execPath} --no-memory-reducer ${join(packageRoot, 'dist/commands/main.js')} serve`,
    );
    expect(unit).not.toContain('@');
    expect(existsSync(join(root, 'etc/systemd/system/hookvisor.service.d'))).toBe(false);
  });

  it('has nothing left to do the second time', () => {
    const root = temporaryFolder();
    install(root);
    const before = picture(root);
    expect(plan(root)).toMatchObject({ prepare: [], hooks: [], notes: [], unknownToLibvirt: [] });
    install(root);
    expect(picture(root)).toEqual(before);
  });

  it('is gone after uninstall, whole', () => {
    const root = temporaryFolder();
    install(root);
    uninstall(root);
    expect(Object.entries(picture(root)).filter(([, what]) => !what.startsWith('folder'))).toEqual([]);
    expect(existsSync(join(root, 'etc'))).toBe(false);
  });

  it("replaces a client of another release, and keeps the administrator's configuration and policy", () => {
    const root = temporaryFolder();
    install(root);
    writeFileSync(join(root, hooks, 'qemu'), Buffer.concat([client, Buffer.from('older')]));
    put(root, 'etc/hookvisor/hookvisor.yaml', 'version: 1\n', 0o600);
    put(root, 'etc/hookvisor/unreachable', 'allow\n', 0o644);
    const { notes } = install(root);
    expect(readFileSync(join(root, hooks, 'qemu')).equals(client)).toBe(true);
    expect(readFileSync(join(root, 'etc/hookvisor/hookvisor.yaml'), 'utf8')).toBe('version: 1\n');
    expect(notes).toEqual([
      "'/etc/hookvisor/unreachable' already exists and is kept",
      "'/etc/hookvisor/hookvisor.yaml' already exists and is kept",
    ]);
    expect(uninstall(root).join()).toContain(
      "'/etc/hookvisor/hookvisor.yaml' was changed after the installation and is kept",
    );
    expect(readFileSync(join(root, 'etc/hookvisor/unreachable'), 'utf8')).toBe('allow\n');
    expect(existsSync(join(root, hooks))).toBe(false);
  });

  it('changes nothing while it is only planned', () => {
    const root = temporaryFolder();
    put(root, `${hooks}/qemu`, '#!/bin/sh\n');
    const before = picture(root);
    plan(root, { adopt: true });
    expect(picture(root)).toEqual(before);
  });
});

describe('an installation beside a hook that is there', () => {
  it('leaves it alone and goes into DRIVER.d', () => {
    const root = temporaryFolder();
    put(root, `${hooks}/qemu`, '#!/bin/sh\nexit 0\n', 0o750);
    const before = picture(root);
    const { notes, unknownToLibvirt } = install(root);
    expect(readFileSync(join(root, hooks, 'qemu.d/50-hookvisor')).equals(client)).toBe(true);
    expect(readFileSync(join(root, hooks, 'qemu'), 'utf8')).toBe('#!/bin/sh\nexit 0\n');
    expect(notes).toEqual([
      expect.stringContaining("'/etc/libvirt/hooks/qemu' is kept; the hook client is installed alongside it"),
    ]);
    expect(unknownToLibvirt).not.toContain('qemu');
    expect(plan(root)).toMatchObject({ prepare: [], hooks: [] });
    uninstall(root);
    expect(picture(root)).toEqual(before);
  });

  it('is refused where libvirt is too old to run DRIVER.d', () => {
    const root = temporaryFolder();
    put(root, `${hooks}/qemu`, '#!/bin/sh\n');
    expect(refusalOf(() => plan(root, { runsFolders: false }))).toEqual({
      code: 'usage',
      message:
        "Cannot install alongside '/etc/libvirt/hooks/qemu': this libvirt does not run scripts in qemu.d (6.5.0 and later do); use --adopt",
    });
  });
});

describe('adopting hooks', () => {
  /** Hooks as an administrator may have them: a dispatcher, its tree, links, files that are no hooks. */
  function hooksOfOld(root: string): void {
    put(root, `${hooks}/qemu`, '#!/bin/sh\nexec "$(dirname "$0")/qemu.d/$1/run" "$(dirname "$0")/lib.sh"\n', 0o750);
    put(root, `${hooks}/qemu.d/b`, '#!/bin/sh\n');
    put(root, `${hooks}/qemu.d/B`, '#!/bin/sh\n');
    put(root, `${hooks}/qemu.d/10`, '#!/bin/sh\n', 0o700);
    put(root, `${hooks}/qemu.d/.hidden~`, '#!/bin/sh\n');
    put(root, `${hooks}/qemu.d/readme`, 'not executable\n', 0o644);
    put(root, `${hooks}/qemu.d/tiny/run`, '#!/bin/sh\n[ -e "$1" ]\n');
    put(root, `${hooks}/lib.sh`, 'x=1\n', 0o644);
    put(root, `${hooks}/network`, 'no longer used\n', 0o644);
    put(root, 'opt/lxc-hook', '#!/bin/sh\n');
    symlinkSync('../../../opt/lxc-hook', join(root, hooks, 'lxc'));
    lutimesSync(join(root, hooks, 'lxc'), 1_500_000_000, 1_500_000_000.25);
  }

  it("makes a handler of each in libvirt's order, and nothing of what libvirt passes over", async () => {
    const root = temporaryFolder();
    hooksOfOld(root);
    install(root, { adopt: true });
    const { handlers, routes, budgetMs } = await loadConfig(join(root, 'etc/hookvisor/hookvisor.yaml'));
    expect(routes).toEqual([
      { match: { driver: ['qemu'] }, handlers: ['qemu', 'qemu.d-.hidden_', 'qemu.d-10', 'qemu.d-B', 'qemu.d-b'] },
      { match: { driver: ['lxc'] }, handlers: ['lxc'] },
    ]);
    expect([...handlers.values()].map(({ source }) => source)[0]).toBe('/etc/hookvisor/adopted/hooks/qemu');
    expect(budgetMs).toBe(300_000);
    for (const { limits, failurePolicy, grants } of handlers.values()) {
      expect(limits.deadlineMs).toBe(60_000);
      expect(failurePolicy).toEqual({ policy: 'fail' });
      expect([...grants]).toEqual(['replace']);
    }
    expect(readFileSync(join(root, 'etc/hookvisor/unreachable'), 'utf8')).toContain('deadline 330');
    expect(existsSync(join(root, 'etc/systemd/system/hookvisor.service.d/50-scripts.conf'))).toBe(true);
    for (const driver of ['qemu', 'lxc', 'network', 'daemon']) {
      expect(readFileSync(join(root, hooks, driver)).equals(client)).toBe(true);
    }
    expect(readdirSync(join(root, hooks, 'qemu.d')).sort()).toEqual(['readme', 'tiny']);
  });

  it('keeps what a script finds beside itself', () => {
    const root = temporaryFolder();
    hooksOfOld(root);
    install(root, { adopt: true });
    const adopted = join(root, 'etc/hookvisor/adopted/hooks');
    expect(readlinkSync(join(adopted, 'lib.sh'))).toBe('/etc/libvirt/hooks/lib.sh');
    expect(readlinkSync(join(adopted, 'qemu.d/tiny'))).toBe('/etc/libvirt/hooks/qemu.d/tiny');
    expect(readlinkSync(join(adopted, 'lxc'))).toBe('/opt/lxc-hook');
  });

  it('is undone by uninstall, byte for byte, with mode, owner and time', () => {
    const root = temporaryFolder();
    hooksOfOld(root);
    const before = picture(root);
    install(root, { adopt: true });
    expect(picture(root)).not.toEqual(before);
    install(root, { adopt: true });
    install(root);
    uninstall(root);
    expect(picture(root)).toEqual(before);
  });

  it('takes over a hook that appeared later, beside those of before', async () => {
    const root = temporaryFolder();
    put(root, `${hooks}/qemu`, '#!/bin/sh\n');
    install(root, { adopt: true });
    put(root, `${hooks}/qemu.d/new`, '#!/bin/sh\n');
    const before = lstatSync(join(root, hooks, 'qemu.d/new'));
    install(root, { adopt: true });
    const { routes } = await loadConfig(join(root, 'etc/hookvisor/hookvisor.yaml'));
    expect(routes).toEqual([{ match: { driver: ['qemu'] }, handlers: ['qemu', 'qemu.d-new'] }]);
    expect(existsSync(join(root, hooks, 'qemu.d/new'))).toBe(false);
    uninstall(root);
    expect(lstatSync(join(root, hooks, 'qemu.d/new')).mtimeMs).toBe(before.mtimeMs);
  });

  it('goes on where it was interrupted, at every step', () => {
    const whole = temporaryFolder();
    hooksOfOld(whole);
    const before = picture(whole);
    const first = plan(whole, { adopt: true });
    const steps = first.prepare.length + first.hooks.length;
    for (let done = 0; done < steps; done += 1) {
      const root = temporaryFolder();
      hooksOfOld(root);
      const { prepare, hooks: last } = plan(root, { adopt: true });
      applySteps(root, [...prepare, ...last].slice(0, done));
      if (done % 2 === 0) install(root, { adopt: true });
      uninstall(root);
      expect(picture(root)).toEqual(before);
    }
  });

  it('is refused where a configuration of the administrator is', () => {
    const root = temporaryFolder();
    put(root, `${hooks}/qemu`, '#!/bin/sh\n');
    put(root, 'etc/hookvisor/hookvisor.yaml', 'version: 1\n');
    expect(refusalOf(() => plan(root, { adopt: true })).message).toBe(
      "Cannot adopt the hooks: the configuration '/etc/hookvisor/hookvisor.yaml' already exists; move it away and merge its handlers by hand",
    );
  });

  it('is not undone over a hook that somebody else put there since', () => {
    const root = temporaryFolder();
    put(root, `${hooks}/qemu`, '#!/bin/sh\n');
    install(root, { adopt: true });
    rmSync(join(root, hooks, 'qemu'));
    put(root, `${hooks}/qemu`, '#!/bin/sh\n# another\n');
    expect(refusalOf(() => planUninstall(root))).toEqual({
      code: 'usage',
      message:
        "Cannot restore '/etc/libvirt/hooks/qemu': another file is there now; move it away and run the command again",
    });
  });
});

describe('an installation is refused', () => {
  it('where the hooks folder is a symbolic link', () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'etc/libvirt'), { recursive: true });
    symlinkSync('/tmp', join(root, hooks));
    expect(refusalOf(() => plan(root))).toEqual({
      code: 'usage',
      message: "Cannot install hooks at '/etc/libvirt/hooks': it is a symbolic link; make it a folder, or remove it",
    });
  });

  it('where a link leads out of the root', () => {
    const root = temporaryFolder();
    const outside = temporaryFolder();
    mkdirSync(join(root, 'etc'), { recursive: true });
    symlinkSync(outside, join(root, 'etc/hookvisor'));
    expect(refusalOf(() => plan(root)).message).toContain('leads out of that folder; remove the symbolic link');
    expect(readdirSync(outside)).toEqual([]);
  });

  it('where a unit of somebody else is', () => {
    const root = temporaryFolder();
    put(root, 'etc/systemd/system/hookvisor.service', '[Unit]\n', 0o644);
    expect(refusalOf(() => plan(root))).toEqual({
      code: 'usage',
      message:
        "Cannot install '/etc/systemd/system/hookvisor.service': a file is there that Hookvisor did not write; move it away",
    });
  });

  it('where a manifest cannot be read', () => {
    const root = temporaryFolder();
    put(root, 'etc/hookvisor/manifest.json', '{"version": 9}', 0o600);
    expect(refusalOf(() => plan(root))).toMatchObject({ code: 'install' });
  });
});
