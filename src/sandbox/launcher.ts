import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join, sep } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { packageRoot } from '../paths.js';
import { oneLine } from '../text.js';

/** What keeps a sandbox process apart from the rest of the machine, as data. */
export interface Isolation {
  readonly level: 'process';
  /** Its environment is empty. */
  readonly emptyEnvironment: boolean;
  /** It leads a session and process group of its own, killed as a whole. */
  readonly ownSession: boolean;
  /** Node's permission model: no write, no child process, reads only of the package and its dependencies. */
  readonly permissionModel: boolean;
  /** The kernel kills it when the runtime dies, and it can gain no privileges (util-linux's setpriv). */
  readonly diesWithRuntime: boolean;
}

/** A started sandbox process. */
export interface SandboxProcess {
  /** Null when it could not be started; `ended` then says why. */
  readonly pid: number | null;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when the process is gone and its pipes are read to the end, with how it ended in words. Never rejects. */
  readonly ended: Promise<string>;
  /** Kills the whole process group. */
  readonly kill: () => void;
}

export interface LaunchOptions {
  /** Name of a compiled file of `dist/sandbox`. */
  readonly entry: 'runner-main.js' | 'admission-main.js';
  /** Bound of V8's heap, MiB. A plugin's linear memory lies outside and has its own limit. */
  readonly heapMiB: number;
}

const stderrTailBytes = 4_096;
const setpriv = '/usr/bin/setpriv';
const hasSetpriv = isExecutable(setpriv);
const permissionFlag = ['--permission', '--experimental-permission'].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

/** jco starts a worker and loads a native minifier when it is imported; runners load neither. */
const allowed: Record<LaunchOptions['entry'], readonly string[]> = {
  'runner-main.js': [],
  'admission-main.js': ['--allow-worker', '--allow-addons'],
};

/** What {@link launch} puts in force on this machine. */
export const isolation: Isolation = {
  level: 'process',
  emptyEnvironment: true,
  ownSession: true,
  permissionModel: permissionFlag !== undefined,
  diesWithRuntime: hasSetpriv,
};

/** Starts a process of the sandbox. The one place that decides what such a process can reach. */
export function launch(options: LaunchOptions): SandboxProcess {
  const node = [process.execPath, ...nodeFlags(options), join(packageRoot, 'dist', 'sandbox', options.entry)];
  const argv = hasSetpriv ? [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--', ...node] : node;
  const [command = process.execPath, ...args] = argv;
  const child = spawn(command, args, { cwd: '/', env: {}, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  // A process that is gone shows in `ended`; the failed write says nothing more.
  child.stdin.on('error', () => undefined);
  const kill = (): void => {
    killGroup(child);
  };
  return {
    pid: child.pid ?? null,
    stdin: child.stdin,
    stdout: child.stdout,
    ended: endingOf(child, child.stderr),
    kill,
  };
}

function nodeFlags(options: LaunchOptions): string[] {
  const flags = ['--no-warnings', `--max-old-space-size=${options.heapMiB}`];
  // V8 of Node 20 takes extended constant expressions, which QuickJS components use, only on request.
  if (process.versions.node.startsWith('20.')) flags.push('--experimental-wasm-extended-const');
  if (permissionFlag === undefined) return flags;
  return [
    ...flags,
    permissionFlag,
    ...allowed[options.entry],
    ...readablePaths().map((path) => `--allow-fs-read=${path}`),
  ];
}

/** The package itself and the folders in which Node looks for its dependencies. */
function readablePaths(): string[] {
  const paths = [
    join(packageRoot, 'dist', '*'),
    join(packageRoot, 'package.json'),
    join(packageRoot, 'node_modules', '*'),
  ];
  // Installed as a dependency, the package's own dependencies usually lie beside it.
  const parts = packageRoot.split(sep);
  const outer = parts.lastIndexOf('node_modules');
  if (outer > 0) paths.push(join(parts.slice(0, outer + 1).join(sep), '*'));
  return paths;
}

function endingOf(child: ChildProcess, stderr: Readable): Promise<string> {
  let tail: Buffer = Buffer.alloc(0);
  stderr.on('data', (chunk: Buffer) => {
    const all = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    tail = all.length > stderrTailBytes ? Buffer.from(all.subarray(-stderrTailBytes)) : all;
  });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve(`it could not be started: ${error.message}`);
    });
    child.once('close', (code, signal) => {
      const how = signal === null ? `it ended with status ${code ?? '?'}` : `it was ended by ${signal}`;
      const words = lastWords(tail.toString());
      resolve(words === '' ? how : `${how}: ${words}`);
    });
  });
}

/** The last line of stderr that tells something: the one that names an error, or simply the last. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^Node\.js v\d/u.test(line));
  return oneLine(lines.findLast((line) => /error/iu.test(line)) ?? lines.at(-1) ?? '', 300);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Between fork and setsid there is no such group yet, and a process that has just ended has none any more.
    child.kill('SIGKILL');
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
