import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { oneLine } from '../../contract/text.js';
import type { Confined, Mechanism } from './mechanism.js';
import { filterDescriptor } from './seccomp.js';

/** A started sandbox process. */
export interface SandboxProcess {
  /** Of the process that leads its group. Null when it could not be started; `ended` then says why. */
  readonly pid: number | null;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when the process is gone and its pipes are read to the end, with how it ended in words. Never rejects. */
  readonly ended: Promise<string>;
  /** Kills the whole process group. */
  readonly kill: () => void;
}

const stderrTailBytes = 4_096;

/** Starts a process apart, as the leader of a session of its own, with an empty environment and three pipes. */
export function startProcess(mechanism: Mechanism, confined: Confined): SandboxProcess {
  const [command = '', ...args] = mechanism.wrap(confined);
  const { filter } = mechanism;
  const child = spawn(command, args, {
    cwd: '/',
    env: {},
    detached: true,
    stdio: Array.from({ length: filter === null ? 3 : filterDescriptor + 1 }, () => 'pipe' as const),
  });
  // A process that is gone shows in `ended`; the failed write says nothing more.
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

/** bubblewrap reads to the end; what it does not read shows in how it ends. */
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
      const how = name === null ? `it ended with status ${code ?? '?'}` : `it was ended by ${name}`;
      const words = lastWords(tail.toString());
      resolve(words === '' ? how : `${how}: ${words}`);
    });
  });
}

/** bubblewrap tells a signal that ended its process as a shell does, by 128 + its number. */
function signalIn(status: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === status - 128);
  return found?.[0] ?? null;
}

/** The last line of stderr that tells something: the one that names an error, or simply the last. */
export function lastWords(stderr: string): string {
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
