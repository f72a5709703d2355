import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { oneLine } from '../../contract/text.js';
import type { Confined, Mechanism } from './mechanism.js';
import { filterDescriptor } from './seccomp.js';

/** A running sandbox process. */
export interface SandboxProcess {
  /** PID of the leader of its process group. Null if it could not be started; `ended` then says why. */
  readonly pid: number | null;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the process has exited and its pipes are drained, with a description of how. Never rejects. */
  readonly ended: Promise<string>;
  /** Kills the whole process group. */
  readonly kill: () => void;
}

const stderrTailBytes = 4_096;

/** Starts a process as the leader of its own session, with an empty environment and three pipes. */
export function startProcess(mechanism: Mechanism, confined: Confined): SandboxProcess {
  const [command = '', ...args] = mechanism.wrap(confined);
  const { filter } = mechanism;
  const child = spawn(command, args, {
    cwd: '/',
    env: {},
    detached: true,
    stdio: Array.from({ length: filter === null ? 3 : filterDescriptor + 1 }, () => 'pipe' as const),
  });
  // `ended` reports a dead process; the failed write adds nothing.
  child.stdin.on('error', () => undefined);
  if (filter !== null) handOver(filter, child.stdio[filterDescriptor]);
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

/** bubblewrap reads to the end of the filter; if it does not, its exit status shows that. */
function handOver(filter: Buffer, channel: unknown): void {
  if (!(channel instanceof Socket)) return;
  channel.on('error', () => undefined);
  channel.end(filter, () => channel.destroy());
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
      const name = signal ?? signalIn(code ?? 0);
      const how = name === null ? `it exited with status ${code ?? '?'}` : `it was terminated by ${name}`;
      const words = lastWords(tail.toString());
      resolve(words === '' ? how : `${how}: ${words}`);
    });
  });
}

/** bubblewrap reports the signal that terminated its process like a shell: 128 plus the number of the signal. */
function signalIn(status: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === status - 128);
  return found?.[0] ?? null;
}

/** Returns the most useful line of stderr: the last one that names an error, else the last one. */
export function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^Node\.js v\d/u.test(line));
  return oneLine(lines.findLast((line) => /error/iu.test(line)) ?? lines.at(-1) ?? '', 300);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group does not exist between fork and setsid, or after the process has exited.
    child.kill('SIGKILL');
  }
}
