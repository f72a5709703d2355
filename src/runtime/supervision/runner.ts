import { bounds } from '../../contract/limits.js';
import { FrameReader } from '../../contract/framing.js';
import type { FailureCode } from '../../contract/outcome.js';
import { messageOf } from '../../contract/errors.js';
import type { Launcher } from '../isolation/launcher.js';
import { decodeReply, encodeRequest } from '../../contract/messages.js';
import type { RunnerReply, RunnerRequest } from '../../contract/messages.js';
import type { SandboxProcess } from '../isolation/sandbox-process.js';

/** Why a request got no reply: the process died, or was killed because it can no longer be trusted. */
export interface Lost {
  readonly failure: Extract<FailureCode, 'deadline' | 'crashed' | 'protocol' | 'unavailable'>;
  readonly message: string;
  /** False if the process never received the whole request: it can then be sent to another process. */
  readonly sent: boolean;
}

export interface Answer {
  readonly reply: RunnerReply;
  readonly tail: Buffer;
}

export interface RequestOptions {
  readonly tail: Buffer | null;
  /** Starts now; the process is killed at the deadline. */
  readonly deadlineMs: number;
}

/** A runner process. Accepts one request at a time. */
export interface Runner {
  readonly pid: number | null;
  /** When it first answered, by `performance.now()`; null until then, when it is unknown whether it starts at all. */
  readonly answeredSince: number | null;
  /** Sends a request. Calls back once, with the reply or the reason why there is none. */
  request(request: RunnerRequest, options: RequestOptions, done: (answer: Answer | Lost) => void): void;
  readonly kill: () => void;
  /** Lets the process exit, and kills it after a second. */
  end(): Promise<void>;
}

const endGraceMs = 1_000;

interface Pending {
  readonly id: number;
  readonly deadlineAt: number;
  readonly deadlineMs: number;
  readonly done: (answer: Answer | Lost) => void;
}

/** Starts a runner process. Calls `onEnd` once, when it has exited, with a description of how. */
export function startRunner(launcher: Launcher, onEnd: (how: string) => void): Runner {
  return driveRunner(launcher.launch('runner'), onEnd);
}

/** Speaks the runner protocol with a process that is already running. Most callers use {@link startRunner}. */
export function driveRunner(child: SandboxProcess, onEnd: (how: string) => void): Runner {
  const frames = new FrameReader(bounds.frameBytes);
  let pending: Pending | null = null;
  let nextId = 0;
  let broken = false;
  let undelivered = false;
  let answeredSince: number | null = null;

  const settle = (answer: Answer | Lost): void => {
    const settled = pending;
    pending = null;
    settled?.done(answer);
  };
  const lose = (lost: Lost): void => {
    broken = true;
    child.kill();
    settle(lost);
  };
  const watch = deadlineWatch(
    () => pending?.deadlineAt ?? null,
    () => {
      const message = `no answer within ${pending?.deadlineMs ?? 0} ms, so its process was killed`;
      lose({ failure: 'deadline', message, sent: true });
    },
  );

  child.stdout.on('data', (chunk: Buffer) => {
    if (broken) return;
    try {
      for (const frame of frames.push(chunk)) {
        const { head, tail } = decodeReply(frame);
        if (head.id !== pending?.id) throw new Error('a reply to a request that is not in flight');
        answeredSince ??= performance.now();
        settle({ reply: head.body, tail });
      }
    } catch (error) {
      const message = `its process violated the protocol and was killed: ${messageOf(error)}`;
      lose({ failure: 'protocol', message, sent: true });
    }
  });
  // The pipe closed before the whole request was written: the process died while idle, not because of the request.
  child.stdin.on('error', () => {
    undelivered = true;
  });
  const ended = child.ended.then((how) => {
    broken = true;
    watch.stop();
    settle({ failure: 'crashed', message: `its process died: ${how}`, sent: !undelivered });
    onEnd(how);
  });

  return {
    pid: child.pid,
    get answeredSince() {
      return answeredSince;
    },
    kill: child.kill,
    request(request, { tail, deadlineMs }, done) {
      const id = nextId++;
      pending = { id, deadlineMs, deadlineAt: performance.now() + deadlineMs, done };
      // If the process is already dying, `ended` settles the request.
      if (!broken) child.stdin.write(encodeRequest(id, request, tail));
      watch.arm(deadlineMs);
    },
    async end() {
      child.stdin.end();
      const timer = setTimeout(child.kill, endGraceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Watches all deadlines of a runner with one timer. It stays armed after an answer and checks the next deadline when
 * it fires, so that an event needs no timer of its own.
 */
function deadlineWatch(
  next: () => number | null,
  expire: () => void,
): { readonly arm: (ms: number) => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | null = null;
  let firesAt = Infinity;
  const arm = (ms: number): void => {
    const at = performance.now() + ms;
    if (timer !== null && firesAt <= at) return;
    if (timer !== null) clearTimeout(timer);
    firesAt = at;
    timer = setTimeout(fire, Math.ceil(ms));
  };
  const fire = (): void => {
    timer = null;
    firesAt = Infinity;
    const deadlineAt = next();
    if (deadlineAt === null) return;
    const left = deadlineAt - performance.now();
    if (left <= 0) expire();
    else arm(left);
  };
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  return { arm, stop };
}
