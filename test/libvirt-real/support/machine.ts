import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { appendFileSync, closeSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../src/shared/paths.js';
import { rememberCgroups } from './cgroups.js';
import { until } from './poll.js';

/** Namespaces with an /etc, /run and /var of their own. What runs in it ends with it. */
export interface Machine extends AsyncDisposable {
  /** A folder of its own; `log` is for what programs say. */
  readonly dir: string;
  /** Where its /etc, /run and /var are, seen from outside. */
  readonly root: string;
  readonly name: string;
  /** Starts a program in it; what it says goes to `log/LABEL`. */
  start(label: string, command: string, ...args: readonly string[]): Program;
}

/** A program in a machine. */
export interface Program {
  readonly child: ChildProcess;
  /** Everything that it said. */
  said(): string;
  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };

// As variables: these belong to the system, and no package of this one brings them.
const unshare = 'unshare';
const nsenter = 'nsenter';

/** Makes a machine. `name` is its hostname, by which migrating daemons tell each other apart. */
export async function createMachine(name: string): Promise<Machine> {
  const removeCgroups = rememberCgroups();
  const dir = mkdtempSync(join(tmpdir(), 'hookvisor-'));
  const root = join(dir, 'root');
  for (const folder of [
    'log',
    'root/run',
    'root/var/log/libvirt',
    'root/var/cache/libvirt',
    'root/var/lib/libvirt/dnsmasq',
  ])
    mkdirSync(join(dir, folder), { recursive: true });
  copyEtc(join(root, 'etc'), name);

  const log = openSync(join(dir, 'log', 'machine'), 'a');
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const script = join(packageRoot, 'test', 'libvirt-real', 'support', 'private-machine.sh');
  // Its stdin is a pipe from this process: should this one be killed, the machine ends too.
  const outer = spawn(unshare, [...namespaces, 'bash', script, dir, name], { stdio: ['pipe', log, log] });
  closeSync(log);
  const ended = once(outer, 'exit');
  await until('the machine is up', () => {
    if (outer.exitCode === null) return existsSync(join(dir, 'ready'));
    const said = readFileSync(join(dir, 'log', 'machine'), 'utf8');
    removeCgroups();
    rmSync(dir, { recursive: true, force: true });
    throw new Error(`no private machine can be made here: ${said}`);
  });
  const first = String(onlyChild(outer));
  const programs: ChildProcess[] = [];

  return {
    dir,
    root,
    name,
    start(label, command, ...args) {
      const file = join(dir, 'log', label);
      const out = openSync(file, 'a');
      const enter = ['-t', first, '-m', '-n', '-u', '-i', '-p', '--', command, ...args];
      const child = spawn(nsenter, enter, {
        stdio: ['ignore', out, out],
        env: environment,
        detached: true,
        cwd: '/',
      });
      closeSync(out);
      programs.push(child);
      return {
        child,
        said: () => readFileSync(file, 'utf8'),
        // nsenter only waits for the program, which is its child. It stops when that one stops.
        signal: (signal) => {
          process.kill(onlyChild(child), signal);
          if (signal === 'SIGCONT') child.kill(signal);
        },
        ended: once(child, 'exit').then(() => undefined),
      };
    },
    async [Symbol.asyncDispose]() {
      // Who waits from outside for one inside holds its namespace open.
      for (const program of programs) program.kill('SIGKILL');
      outer.stdin?.end();
      await ended;
      removeCgroups();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The system's /etc without its hooks and without Hookvisor, and with the users that libvirtd insists on. */
function copyEtc(etc: string, name: string): void {
  const left = ['/etc/libvirt', '/etc/hookvisor', '/etc/ssl'];
  cpSync('/etc', etc, { recursive: true, verbatimSymlinks: true, filter: (path) => !left.includes(path) });
  for (const folder of ['libvirt/qemu', 'libvirt/hooks']) mkdirSync(join(etc, folder), { recursive: true });
  const users = readFileSync(join(etc, 'passwd'), 'utf8');
  if (!users.includes('\nlibvirt-qemu:')) {
    appendFileSync(join(etc, 'passwd'), 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n');
    appendFileSync(join(etc, 'group'), 'libvirt-qemu:x:64055:\n');
  }
  appendFileSync(join(etc, 'hosts'), `127.0.0.1 ${name}\n`);
}

function onlyChild({ pid = 0 }: ChildProcess): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  if (child === undefined || child === '') throw new Error(`process ${pid} has no child`);
  return Number(child);
}
