import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Verdict } from '../../contract/verdict.js';
import { HookvisorError } from '../../contract/errors.js';
import { openTail } from '../../runtime/journal/tail.js';
import { packageRoot } from '../../shared/paths.js';
import { findHookClient, type HookClient } from './hook-client.js';

/** One recorded hook call. */
export interface RecordedCall {
  readonly driver: string;
  readonly argv: readonly string[];
  readonly document: string | null;
}

/** The result of one call, as libvirt sees it and as the journal records it. */
export interface PlayedCall {
  readonly status: number;
  readonly stderr: string;
  /** From the spawn to the exit of the hook client, milliseconds. */
  readonly durationMs: number;
  readonly verdict: Verdict;
}

/** A private runtime in a temporary folder, and hooks that reach it. Disposing it removes everything. */
export interface DemoStage extends AsyncDisposable {
  readonly client: HookClient;
  play(call: RecordedCall): Promise<PlayedCall>;
}

/**
 * Starts `hookvisor serve` with the demo configuration. A journal in a given folder is kept. Throws HookvisorError with
 * the output of the runtime when it does not start.
 */
export async function openDemoStage(keptJournal: string | null = null): Promise<DemoStage> {
  const client = findHookClient();
  const dir = await mkdtemp(join(tmpdir(), 'hookvisor-demo-'));
  const socket = join(dir, 'hookvisor.sock');
  const journal = keptJournal ?? join(dir, 'journal');
  const runtime = spawn(
    process.execPath,
    [
      ...[join(packageRoot, 'dist', 'commands', 'main.js'), 'serve'],
      ...['--config', join(packageRoot, 'examples', 'demo', 'hookvisor.yaml')],
      ...['--socket', socket, '--journal', journal, '--cache', join(dir, 'cache')],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const close = async (): Promise<void> => {
    await stop(runtime);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await ready(runtime);
    const hooks = join(dir, 'hooks');
    await mkdir(hooks);
    for (const driver of ['qemu', 'network', 'daemon']) await symlink(client.path, join(hooks, driver));
  } catch (error) {
    await close();
    throw error;
  }
  const tail = await openTail(journal, 'end');
  return {
    client,
    async play({ driver, argv, document }) {
      const began = performance.now();
      const { status, stderr } = await callHook(join(dir, 'hooks', driver), { argv, document, socket });
      const durationMs = performance.now() - began;
      // The record is written before the answer is sent.
      const [added] = await tail.read();
      if (added === undefined) throw new HookvisorError('internal', `Cannot find the event in '${journal}'; ${stderr}`);
      return { status, stderr, durationMs, verdict: added.record };
    },
    async [Symbol.asyncDispose]() {
      await tail[Symbol.asyncDispose]();
      await close();
    },
  };
}

/** Waits until the runtime listens. */
async function ready(runtime: ChildProcess): Promise<void> {
  const said: string[] = [];
  if (runtime.stderr === null) throw new HookvisorError('internal', 'Cannot follow the runtime: it has no stderr');
  for await (const line of createInterface({ input: runtime.stderr })) {
    if (line.includes('listening on')) {
      runtime.stderr.resume();
      return;
    }
    said.push(line);
  }
  throw new HookvisorError('internal', `Cannot start the runtime:\n${said.join('\n')}`);
}

async function stop(runtime: ChildProcess): Promise<void> {
  if (runtime.exitCode !== null || runtime.signalCode !== null) return;
  const exited = once(runtime, 'exit');
  runtime.kill('SIGTERM');
  const timer = setTimeout(() => runtime.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(timer);
}

/** Runs a hook as libvirt does. */
async function callHook(
  path: string,
  call: { argv: readonly string[]; document: string | null; socket: string },
): Promise<{ status: number; stderr: string }> {
  const child = spawn(path, call.argv, {
    cwd: '/',
    env: { LC_ALL: 'C', PATH: process.env['PATH'], HOOKVISOR_SOCKET: call.socket, HOOKVISOR_UNREACHABLE: '/dev/null' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const stderr: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(call.document ?? '');
  await once(child, 'close');
  return { status: child.exitCode ?? 255, stderr: Buffer.concat(stderr).toString('utf8') };
}
