import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { capture } from './capture.js';
import { closePipe, type PipePool } from './pipes.js';

export interface ProcessRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Written to stdin; null: stdin is /dev/null. */
  readonly stdin: Buffer | null;
  /** Most bytes of stdout, more stop the process; null: stdout is /dev/null. */
  readonly stdoutBytes: number | null;
  /** Most bytes kept of stderr; more are dropped. */
  readonly stderrBytes: number;
  readonly deadlineMs: number;
}

/** Why we stopped the process: the first cause, whatever happened afterwards. */
type StopCause = 'deadline' | 'stdout-too-large';

export interface ProcessEnd {
  readonly stopped: StopCause | null;
  /** Exit status; null when a signal ended the process. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** From TERM to KILL, and from KILL to giving up on a process that not even KILL ends. */
const graceMs = 500;

/**
 * Runs a program without a shell, as the leader of a process group of its own, and answers when the leader has
 * exited: what it started in the background may live on and holds nothing up. When it is stopped, the whole group is:
 * TERM, and KILL after {@link graceMs}. Rejects with Node's error when the program cannot be executed.
 */
export async function runProcessGroup(request: ProcessRequest, pipes: PipePool): Promise<ProcessEnd> {
  const wanted = [request.stdin !== null, request.stdoutBytes !== null, true];
  const taken = [...(await pipes.take(wanted.filter(Boolean).length))];
  const [stdin, stdout, stderr] = wanted.map((want) => (want ? (taken.shift() ?? null) : null));
  let child: ChildProcess;
  try {
    child = spawn(request.file, [...request.args], {
      cwd: '/',
      env: request.env,
      detached: true,
      stdio: [stdin?.read ?? 'ignore', stdout?.write ?? 'ignore', stderr?.write ?? 'ignore'],
    });
  } catch (error) {
    for (const pipe of [stdin, stdout, stderr]) if (pipe) closePipe(pipe);
    throw error;
  }
  for (const end of [stdin?.read, stdout?.write, stderr?.write]) if (end !== undefined) closeSync(end);

  const group = watchGroup(child, request.deadlineMs);
  const writer = stdin ? writeAll(stdin.write, request.stdin) : null;
  const out =
    stdout &&
    capture(stdout.read, request.stdoutBytes ?? 0, () => {
      group.stop('stdout-too-large');
    });
  const err = stderr && capture(stderr.read, request.stderrBytes, () => undefined);
  const collect = (): Pick<ProcessEnd, 'stopped' | 'stdout' | 'stderr'> => {
    writer?.destroy();
    const last = out?.finish();
    return {
      stopped: last?.overflowed === true ? 'stdout-too-large' : null,
      stdout: last?.bytes ?? nothing,
      stderr: err?.finish().bytes ?? nothing,
    };
  };
  return group.end.then(
    (end) => {
      const rest = collect();
      return { ...end, ...rest, stopped: end.stopped ?? rest.stopped };
    },
    (error: unknown) => {
      collect();
      throw error;
    },
  );
}

const nothing = Buffer.alloc(0);

/** Starts writing; that the reader does not read, or closes early, is fine. */
function writeAll(fd: number, bytes: Buffer | null): Socket {
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', () => undefined);
  socket.end(bytes ?? Buffer.alloc(0));
  return socket;
}

type GroupEnd = Pick<ProcessEnd, 'stopped' | 'status' | 'signal'>;

function watchGroup(child: ChildProcess, deadlineMs: number): { end: Promise<GroupEnd>; stop(cause: StopCause): void } {
  let stopped: StopCause | null = null;
  let ended = false;
  const timers: NodeJS.Timeout[] = [];
  let giveUp: () => void = () => undefined;

  const stop = (cause: StopCause): void => {
    if (ended || stopped !== null) return;
    stopped = cause;
    signalGroup(child, 'SIGTERM');
    timers.push(
      setTimeout(() => {
        signalGroup(child, 'SIGKILL');
      }, graceMs),
      // Stuck in the kernel, or set-uid and not ours to kill: the answer cannot wait for it.
      setTimeout(() => {
        giveUp();
      }, 2 * graceMs),
    );
  };
  timers.push(
    setTimeout(() => {
      stop('deadline');
    }, deadlineMs),
  );

  const end = new Promise<GroupEnd>((resolve, reject) => {
    giveUp = () => {
      child.unref();
      resolve({ stopped, status: null, signal: null });
    };
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      // What is left of a group that we stopped has had its TERM and lost its leader.
      if (stopped !== null) signalGroup(child, 'SIGKILL');
      resolve({ stopped, status, signal });
    });
  }).finally(() => {
    ended = true;
    for (const timer of timers) clearTimeout(timer);
  });
  return { end, stop };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone, or not ours to kill: the end of the leader, or giving up on it, decides.
  }
}
