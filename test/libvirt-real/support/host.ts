import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { askRuntime } from '../../../src/commands/remote.js';
import { readJournal } from '../../../src/runtime/journal/read.js';
import type { EventRecord } from '../../../src/runtime/journal/record.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { createMachine, type Machine, type Program } from './machine.js';
import { until } from './poll.js';

/** What a command said and how long it took. */
export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

/** A machine on which libvirt and Hookvisor are installed. */
export interface Host extends AsyncDisposable {
  readonly machine: Machine;
  readonly journal: string;
  /** The address of libvirtd, seen from other hosts as well. */
  uri(driver: 'qemu' | 'lxc'): string;
  /** Runs virsh; never fails by itself. */
  virsh(...args: readonly string[]): Promise<Ran>;
  lxc(...args: readonly string[]): Promise<Ran>;
  startLibvirtd(): Promise<void>;
  stopLibvirtd(signal?: NodeJS.Signals): Promise<void>;
  /** Sends libvirtd SIGHUP. */
  reloadLibvirtd(): void;
  startRuntime(): Promise<void>;
  stopRuntime(signal?: NodeJS.Signals): Promise<void>;
  /** Writes the configuration: handlers and routes in YAML. A runtime that runs takes it up. */
  configure(yaml: string): Promise<void>;
  /** Writes the configuration, for a runtime that is down. */
  configureOnly(yaml: string): void;
  signalRuntime(signal: NodeJS.Signals): void;
  /** Says what the client does when it cannot reach the runtime. */
  unreachable(policy: string): void;
  /** The recorded events of one object, or of all, in order. */
  events(name?: string): Promise<EventRecord[]>;
  /** Runs `hookvisor` where the runtime runs. */
  hookvisor(...args: readonly string[]): Promise<{ status: number | null; said: string }>;
  status(): Promise<z.infer<typeof statusSchema>>;
}

const statusSchema = z.object({
  status: z.object({
    events: z.object({ answered: z.number() }),
    journal: z.object({ unrecorded: z.number() }).nullable(),
    reloads: z.object({ done: z.number() }),
  }),
});

export const mainProgram = join(packageRoot, 'dist', 'commands', 'main.js');

/** Admitting a plugin takes a second: what was admitted is kept for the next file and the next run. */
const cache = join(packageRoot, 'node_modules', '.cache', 'hookvisor-test');

const qemuConf = `user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
seccomp_sandbox = 0
lock_manager = "nop"
`;

export interface HostOptions {
  /** Tells hosts apart; those that migrate to each other need different ones. */
  readonly name?: string;
  /** Whether Hookvisor is installed, and its runtime started; it is when not said. */
  readonly installed?: boolean;
}

/** Installs Hookvisor as an administrator would, and starts its runtime and libvirtd. */
export async function createHost({ name = 'alpha', installed = true }: HostOptions = {}): Promise<Host> {
  const machine = await createMachine(`hookvisor-${name}`);
  const { root } = machine;
  const socket = join(root, 'run', 'hookvisor', 'hookvisor.sock');
  const journal = join(root, 'var', 'log', 'hookvisor');
  const libvirtSocket = join(root, 'run', 'libvirt', 'libvirt-sock');
  if (installed) execFileSync(process.execPath, [mainProgram, 'install', '--root', root], { stdio: 'pipe' });
  const libvirt = (file: string, body: string): void => {
    writeFileSync(join(root, 'etc', 'libvirt', file), body);
  };
  libvirt('qemu.conf', qemuConf);
  libvirt(
    'libvirtd.conf',
    `auth_unix_ro = "none"\nauth_unix_rw = "none"\nhost_uuid = "${randomUUID()}"\n` +
      `log_level = 3\nlog_outputs = "3:file:/var/log/libvirt/libvirtd.log"\n`,
  );
  let libvirtd: Program | null = null;
  let runtime: Program | null = null;
  let saidByRuntimes = 0;

  const host: Host = {
    machine,
    journal,
    uri: (driver) => `${driver}+unix:///system?socket=${libvirtSocket}`,
    virsh: (...args) => run('virsh', ['-c', host.uri('qemu'), ...args]),
    lxc: (...args) => run('virsh', ['-c', host.uri('lxc'), ...args]),
    async startLibvirtd() {
      const started = machine.start('libvirtd', 'libvirtd', '-f', '/etc/libvirt/libvirtd.conf');
      libvirtd = started;
      await until('libvirtd answers', async () => {
        if (started.child.exitCode !== null) throw new Error(`libvirtd ended: ${started.said()}`);
        return (await host.virsh('uri')).status === 0;
      });
    },
    async stopLibvirtd(signal = 'SIGTERM') {
      libvirtd?.signal(signal);
      await libvirtd?.ended;
      libvirtd = null;
    },
    reloadLibvirtd() {
      libvirtd?.signal('SIGHUP');
    },
    async startRuntime() {
      const before = saidByRuntimes;
      const started = machine.start('runtime', process.execPath, mainProgram, 'serve');
      runtime = started;
      await until('the runtime listens', () => {
        if (started.child.exitCode !== null) throw new Error(`the runtime ended: ${started.said()}`);
        return started.said().slice(before).includes('listening on');
      });
      saidByRuntimes = started.said().length;
    },
    async stopRuntime(signal = 'SIGTERM') {
      runtime?.signal(signal);
      await runtime?.ended;
      runtime = null;
    },
    signalRuntime(signal) {
      runtime?.signal(signal);
    },
    configureOnly(body) {
      const whole = body.includes('journal:') ? '' : 'journal: { sync: interval }\n';
      const text = `version: 1\ncache: ${cache}\nsandbox: { require: process }\n${whole}${body}`;
      writeFileSync(join(root, 'etc', 'hookvisor', 'hookvisor.yaml'), text);
    },
    async configure(body) {
      host.configureOnly(body);
      if (runtime !== null) await askRuntime({ socket, command: { command: 'reload' }, timeoutMs: 60_000 });
    },
    unreachable(policy) {
      writeFileSync(join(root, 'etc', 'hookvisor', 'unreachable'), policy);
    },
    async events(object) {
      const found: EventRecord[] = [];
      for await (const { record } of readJournal(journal))
        if (object === undefined || record.event.name === object) found.push(record);
      return found;
    },
    async hookvisor(...args) {
      const program = machine.start(`hookvisor-${randomUUID()}`, process.execPath, mainProgram, ...args);
      await program.ended;
      return { status: program.child.exitCode, said: program.said() };
    },
    async status() {
      const { head } = await askRuntime({ socket, command: { command: 'status' }, timeoutMs: 30_000 });
      return statusSchema.parse(head);
    },
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };

  try {
    if (installed) {
      await host.configure('');
      await host.startRuntime();
    }
    await host.startLibvirtd();
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
  return host;
}

/** Runs a command to its end, a minute at most. */
export async function run(command: string, args: readonly string[]): Promise<Ran> {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000, killSignal: 'SIGKILL' });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, out, err, ms: performance.now() - began };
}
