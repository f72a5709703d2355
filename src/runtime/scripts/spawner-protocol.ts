import { constants } from 'node:os';
import { HookvisorError } from '../../contract/errors.js';
import { encodeFrame, type Frame } from '../../contract/framing.js';

/** A program to run, and its limits. */
export interface SpawnRequest {
  /** The program's absolute path, then its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** The complete environment, as NAME=VALUE. */
  readonly env: readonly string[];
  /** Input on stdin; null for /dev/null. */
  readonly stdin: Buffer | null;
  /** Maximum number of bytes on stdout; more terminate the program. Null for /dev/null. */
  readonly stdoutBytes: number | null;
  /** Maximum number of bytes kept of stderr; the rest is dropped. */
  readonly stderrBytes: number;
  readonly deadlineMs: number;
}

/** How a program exited. */
export interface SpawnEnd {
  /** Why it was terminated: the first cause, even if others followed. */
  readonly stopped: 'deadline' | 'stdout-too-large' | null;
  /** Exit status; null if a signal terminated the program. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Delay from TERM to KILL, and from KILL to giving up on a process that does not die, milliseconds. */
export const graceMs = 500;

// The same numbers as in native/spawner.c and native/job.h.
const types = { request: 1, answer: 2 } as const;
const flags = { stdin: 1, stdout: 2 } as const;
const endings = { status: 0, signal: 1, unstarted: 2, givenUp: 3, broken: 4 } as const;
const causes = [null, 'deadline', 'stdout-too-large'] as const;
const answerBytes = 20;

/** Encodes the request to run a program. Throws an error with the code EINVAL if a string contains a NUL. */
export function encodeRequest(id: number, request: SpawnRequest): Buffer {
  const { argv, env, stdin, stdoutBytes, stderrBytes, deadlineMs } = request;
  const all = [...argv, ...env];
  if (all.some((one) => one.includes('\0'))) throw systemError(constants.errno.EINVAL);
  const strings = Buffer.from(`${all.join('\0')}\0`);
  const words = [
    id,
    deadlineMs,
    graceMs,
    (stdin === null ? 0 : flags.stdin) | (stdoutBytes === null ? 0 : flags.stdout),
    stdoutBytes ?? 0,
    stderrBytes,
    argv.length,
    env.length,
    strings.length,
  ];
  const head = Buffer.allocUnsafe(4 * words.length);
  words.forEach((word, index) => head.writeUInt32BE(word, 4 * index));
  return encodeFrame(types.request, head, strings, ...(stdin === null ? [] : [stdin]));
}

/**
 * The result of a program: how it exited, the error of the system if it was not started, or HookvisorError `runner` if
 * its input was not delivered completely or some of its output was lost: then it has decided nothing.
 */
export interface SpawnAnswer {
  readonly id: number;
  readonly end: SpawnEnd | Error;
}

/** Decodes an answer. Throws HookvisorError `protocol`. */
export function decodeAnswer({ type, body }: Frame): SpawnAnswer {
  const stdoutEnds = body.length < answerBytes ? Infinity : answerBytes + body.readUInt32BE(16);
  if (type !== types.answer || stdoutEnds > body.length) {
    throw new HookvisorError('protocol', `Cannot read an answer of type ${type}: it is truncated or invalid`);
  }
  const id = body.readUInt32BE(0);
  const ending = body.readUInt32BE(4);
  const value = body.readUInt32BE(8);
  if (ending === endings.unstarted) return { id, end: systemError(value) };
  if (ending === endings.broken) return { id, end: broken(value) };
  return {
    id,
    end: {
      stopped: causes[body.readUInt32BE(12)] ?? null,
      status: ending === endings.status ? value : null,
      signal: ending === endings.signal ? (nameIn(constants.signals, value) ?? `signal ${value}`) : null,
      stdout: body.subarray(answerBytes, stdoutEnds),
      stderr: body.subarray(stdoutEnds),
    },
  };
}

function broken(errno: number): HookvisorError {
  return new HookvisorError(
    'runner',
    `the system failed to transfer all of its document or output (${errorName(errno)}), so it was terminated; ` +
      `see the system log`,
  );
}

function errorName(errno: number): string {
  return nameIn(constants.errno, errno) ?? `errno ${errno}`;
}

/** Creates an error with a `code`, like Node's system errors. */
function systemError(errno: number): Error {
  const code = errorName(errno);
  return Object.assign(new Error(`execve ${code}`), { code });
}

function nameIn(names: object, value: number): string | null {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? null;
}
