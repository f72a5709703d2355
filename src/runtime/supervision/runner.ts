import { bounds } from '../../contract/limits.js';
import { FrameReader } from '../../contract/framing.js';
import type { FailureCode } from '../../contract/outcome.js';
import { messageOf } from '../../contract/errors.js';
import type { Launcher } from '../isolation/launcher.js';
import { decodeReply, encodeRequest } from '../../contract/messages.js';
import type { RunnerReply, RunnerRequest } from '../../contract/messages.js';
import type { SandboxProcess } from '../isolation/sandbox-process.js';

/** Why a request got no reply: the process is gone or not to be trusted, and was killed. */
export interface Lost {
  readonly failure: Extract<FailureCode, 'deadline' | 'crashed' | 'protocol' | 'unavailable'>;
  readonly message: string;
  /** False when the process never got the whole request: another one can be asked without harm. */
  readonly sent: boolean;
}

export interface Answer {
  readonly reply: RunnerReply;
  readonly tail: Buffer;
}

export interface RequestOptions {
  readonly tail: Buffer | null;
  /** Counted from now; at its end the process is killed. */
  readonly deadlineMs: number;
}

/** The runtime's handle on one runner process. It takes one request at a time. */
export interface Runner {
  readonly pid: number | null;
  /** When its first answer came, by `performance.now()`: until then nobody knows whether it starts at all. */
  readonly answeredSince: number | null;
  /** Sends a request; the callback is called once, with the reply or with the reason why there is none. */
  request(request: RunnerRequest, options: RequestOptions, done: (answer: Answer | Lost) => void): void;
  readonly kill: () => void;
  /** Lets the process end by itself, and kills it when it has not after a second. */
  end(): Promise<void>;
}

const endGraceMs = 1_000;

interface Pending {
  readonly id: number;
  readonly deadlineAt: number;
  readonly deadlineMs: number;
  readonly done: (answer: Answer | Lost) => void;
}

/** Starts a runner process; `onEnd` is called once when it is gone, with how it ended in words. */
export function startRunner(launcher: Launcher, onEnd: (how: string) => void): Runner {
  return driveRunner(launcher.launch('runner'), onEnd);
}

/** Speaks the runners' protocol with a process that has been started; {@link startRunner} is the usual way. */
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
        if (head.id !== pending?.id) throw new Error(`a reply to a request that is not under way`);
        answeredSince ??= performance.now();
        settle({ reply: head.body, tail });
      }
    } catch (error) {
      const message = `its process broke the protocol and was killed: ${messageOf(error)}`;
      lose({ failure: 'protocol', message, sent: true });
    }
  });
  // The pipe was closed before the request was through: the process had died while idle, not because of the request.
  child.stdin.on('error', () => {
    undelivered = true;
  });
  const ended = child.ended.then((how) => {
    broken = true;
    watch.stop();
    settle({ failure: 'crashed', message: `its process is gone: ${how}`, sent: !undelivered });
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
      // A process that is already dying settles it through `ended`.
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
 * One timer for all deadlines of a runner: it is left armed after an answer and looks at the next deadline when it
 * fires, so that an event costs no timer of its own.
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
