import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { askRuntime } from '../remote.js';
import { defaultSocket } from '../../runtime/config/defaults.js';
import { HookvisorError } from '../../contract/errors.js';
import { applySteps } from './apply.js';
import { planInstall, type InstallPlan } from './install-plan.js';
import { findLibvirtDaemons, reloadLibvirt, runsHook } from './libvirt-daemons.js';
import { findLibvirt, runsHookFolders } from './libvirt-version.js';
import { manifestBytes, readManifest } from './manifest.js';
import { defaultHooks, hookNames, places, type HookName } from './places.js';
import { requireTrustedHooks, requireTrustedHost } from './require-trusted-host.js';
import { describeStep } from './step.js';
import { jsonLine, oneLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';

interface InstallCommandOptions {
  readonly root: string;
  readonly drivers: readonly HookName[];
  readonly adopt?: true;
  readonly scripts?: true;
  readonly start?: true;
  readonly reloadLibvirt?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Implements `hookvisor install`: installs the hook client, an initial configuration and the service. */
export function installCommand({ terminal, finish }: CommandContext): Command {
  const { out } = terminal;
  return newCommand('install', 'install the hook client, an initial configuration and the service', [
    'hookvisor install --dry-run',
    'hookvisor install --start --reload-libvirt',
    'hookvisor install --adopt --start        # existing hooks become handlers',
    'hookvisor install --root ./image --drivers qemu,network',
  ])
    .option('--root <dir>', 'install into this folder instead of the running system', '/')
    .option(
      '--drivers <names>',
      `hooks to install, separated by commas: ${hookNames.join(', ')}`,
      driversOption,
      defaultHooks,
    )
    .option('--adopt', "turn existing hooks into handlers of a new configuration; 'uninstall' restores them")
    .option('--scripts', 'let script handlers run with full root rights, as hooks of libvirt do')
    .option('--start', 'start the service before the hooks are installed')
    .option('--reload-libvirt', 'reload running libvirt daemons so that they find new hooks')
    .option('--dry-run', 'only print what would be done')
    .option('--json', 'print the result as JSON')
    .action(async (options: InstallCommandOptions) => {
      const root = rootOf(options);
      if (root === '/') await requireTrustedHost('install');
      const { version } = root === '/' ? await findLibvirt() : { version: null };
      const plan = planInstall({
        root,
        drivers: options.drivers,
        adopt: options.adopt === true,
        scripts: options.scripts === true,
        runsFolders: runsHookFolders(version),
      });
      if (root === '/') await requireTrustedHooks(plan.adopted.map(({ hook }) => hook));
      const steps = [...plan.prepare, ...plan.hooks].map(describeStep);
      if (options.dryRun !== true) {
        applySteps(root, plan.prepare);
        if (options.start === true) startService();
        applySteps(root, plan.hooks);
      }
      const told = options.dryRun !== true && options.reloadLibvirt === true ? tellLibvirt() : [];
      const next = await nextSteps({ root, plan, options, told });
      if (options.json === true) {
        const { notes } = plan;
        const handlers = plan.adopted.map(({ name, hook }) => ({ handler: name, was: hook.from, source: hook.to }));
        out.write(jsonLine({ done: options.dryRun !== true, root, steps, notes, handlers, told, next }));
      } else {
        out.write(steps.length === 0 ? 'nothing to do: everything is installed\n' : `${steps.join('\n')}\n`);
        for (const note of plan.notes) out.write(`note: ${oneLine(note, 600)}\n`);
        for (const name of told) out.write(`reloaded ${name}\n`);
        if (options.dryRun === true) out.write('nothing was changed (--dry-run)\n');
        else for (const line of next) out.write(`next: ${line}\n`);
      }
      finish(exitStatus.success);
    });
}

/** Returns the folder to work in. Throws HookvisorError `usage` when the options do not fit it. */
export function rootOf(options: {
  readonly root: string;
  readonly start?: true;
  readonly reloadLibvirt?: true;
  readonly dryRun?: true;
}): string {
  const root = resolve(options.root);
  if (root !== '/') {
    if (options.start === true || options.reloadLibvirt === true) {
      const option = options.start === true ? '--start' : '--reload-libvirt';
      throw new HookvisorError(
        'usage',
        `Cannot use '${option}' with --root: no service runs below '${root}'; remove the option`,
      );
    }
    mkdirSync(root, { recursive: true });
  } else if (process.geteuid?.() !== 0 && options.dryRun !== true) {
    throw new HookvisorError(
      'usage',
      "Cannot change '/': this requires root; use sudo, specify another folder with --root, or preview with --dry-run",
    );
  }
  return root;
}

function driversOption(text: string): readonly HookName[] {
  return text.split(',').map((word) => {
    const name = hookNames.find((known) => known === word.trim());
    if (name === undefined)
      throw new InvalidArgumentError(`Expected names from ${hookNames.join(', ')}, separated by commas.`);
    return name;
  });
}

/** Runs systemctl on this system. Throws HookvisorError `install` with its error message. */
export function systemctl(...args: readonly string[]): void {
  const run = spawnSync('systemctl', [...args], { encoding: 'utf8', timeout: 120_000 });
  if (run.status === 0) return;
  const said = oneLine(run.error?.message ?? run.stderr, 600);
  throw new HookvisorError(
    'install',
    `Cannot run 'systemctl ${args.join(' ')}': ${said}; see 'journalctl -u hookvisor'`,
  );
}

export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

function startService(): void {
  if (!hasSystemd()) {
    throw new HookvisorError(
      'usage',
      "Cannot start the service: systemd is not running; start 'hookvisor serve' yourself",
    );
  }
  systemctl('daemon-reload');
  systemctl('enable', '--now', 'hookvisor.socket', 'hookvisor.service');
}

function tellLibvirt(): string[] {
  const daemons = findLibvirtDaemons();
  reloadLibvirt(daemons);
  const manifest = readManifest('/');
  if (manifest !== null) {
    const bytes = manifestBytes({ ...manifest, toldMs: Date.now() });
    applySteps('/', [{ step: 'write', path: places.manifest, mode: 0o600, bytes }]);
  }
  return daemons.map(({ name, pid }) => `${name} (pid ${pid})`);
}

async function nextSteps(given: {
  root: string;
  plan: InstallPlan;
  options: InstallCommandOptions;
  told: readonly string[];
}): Promise<string[]> {
  const { root, plan, options, told } = given;
  if (root !== '/' || options.dryRun === true) return [];
  const lines: string[] = [];
  if (!(await runtimeAnswers())) {
    const how = hasSystemd()
      ? 'systemctl daemon-reload && systemctl enable --now hookvisor.socket hookvisor.service'
      : 'hookvisor serve';
    lines.push(`start the runtime (until then the hooks deny): ${how}`);
  }
  if (plan.unknownToLibvirt.length > 0 && told.length === 0) {
    const daemons = findLibvirtDaemons().filter((one) => plan.unknownToLibvirt.some((driver) => runsHook(one, driver)));
    for (const { name, pid } of daemons) {
      const how = hasSystemd() ? `systemctl reload ${name}` : `kill -HUP ${pid}`;
      lines.push(`reload ${name} so that it finds the new hooks: ${how}`);
    }
  }
  lines.push('check the installation: hookvisor doctor');
  return lines;
}

async function runtimeAnswers(): Promise<boolean> {
  try {
    await askRuntime({ socket: defaultSocket, command: { command: 'status' }, timeoutMs: 5_000 });
    return true;
  } catch {
    return false;
  }
}
