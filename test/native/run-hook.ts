import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/shared/paths.js';

/** Both hook clients; every claim is made of each. */
export const clients = [
  { label: 'the client in C', file: 'hook-client' },
  { label: 'the client in Node', file: 'hook-client.mjs' },
] as const;

export interface HookRun {
  /** Path of the hook below the bench's folder; its name is the driver. */
  readonly hook?: string;
  readonly args?: readonly string[];
  /** `open` is a pipe that never ends, `closed` no file at all. */
  readonly stdin?: Uint8Array | 'open' | 'closed' | 'null';
  /** Text of the file for an unreachable runtime; null when there is none. */
  readonly unreachable?: string | Uint8Array | null;
  readonly socket?: string;
  /** Sends this signal to the client after so many milliseconds. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly afterMs: number };
}

export interface HookResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly ms: number;
}

export interface Bench {
  readonly folder: string;
  readonly socket: string;
  run(options: HookRun): Promise<HookResult>;
  write(name: string, text: string | Uint8Array, mode?: number): string;
  remove(): void;
}

/** A folder with one client installed under any driver's name that a run asks for. */
export function createBench(file: (typeof clients)[number]['file']): Bench {
  execFileSync(process.execPath, [join(packageRoot, 'scripts/build-native.mjs')]);
  const folder = mkdtempSync(join(tmpdir(), 'hook-client-'));
  const socket = join(folder, 'socket');
  let policies = 0;
  const write = (name: string, text: string | Uint8Array, mode = 0o644): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    return path;
  };
  const installed = new Set<string>();
  const install = (hook: string): string => {
    const path = join(folder, hook);
    if (installed.has(hook)) return path;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(packageRoot, 'dist', file), path);
    installed.add(hook);
    return path;
  };
  return {
    folder,
    socket,
    write,
    run(options) {
      const path = install(options.hook ?? 'qemu');
      const policy = options.unreachable ?? null;
      const policyFile = policy === null ? join(folder, 'none') : write(`policy-${policies++}`, policy);
      return start(path, options, { HOOKVISOR_SOCKET: options.socket ?? socket, HOOKVISOR_UNREACHABLE: policyFile });
    },
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function start(path: string, options: HookRun, environment: Record<string, string>): Promise<HookResult> {
  const { args = ['vm', 'start', 'begin', '-'], stdin = 'null' } = options;
  // Only a shell can leave stdin closed; the arguments pass through it untouched.
  const [command, words] =
    stdin === 'closed' ? ['/bin/sh', ['-c', 'exec "$0" "$@" <&-', path, ...args]] : [path, [...args]];
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, words, {
      env: { PATH: process.env['PATH'], LC_ALL: 'C', ...environment },
      stdio: [stdin === 'null' || stdin === 'closed' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => undefined); // a client may end before it has read all
    if (stdin instanceof Uint8Array) child.stdin?.end(stdin);
    const { signal } = options;
    if (signal !== undefined) setTimeout(() => child.kill(signal.name), signal.afterMs);
    child.once('error', reject);
    child.once('close', (status, killedBy) => {
      child.stdin?.destroy();
      const stderr = Buffer.concat(err).toString();
      resolve({ status, signal: killedBy, stdout: Buffer.concat(out), stderr, ms: performance.now() - started });
    });
  });
}

/** Runs `work` on every item, at most `width` at once. */
export async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
