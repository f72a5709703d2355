import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { HookvisorError } from '../../contract/errors.js';
import { encodeFrame, type Frame, FrameReader, headerBytes } from '../../contract/framing.js';
import { bounds } from '../../contract/limits.js';
import { packageRoot } from '../../shared/paths.js';
import type { Listener, ListenerOptions } from './listener.js';

/** The native program that accepts hook calls for the runtime (native/gate.c), if it was compiled. */
export const gateProgram = join(packageRoot, 'dist', 'gate');

// These numbers must match native/gate.c.
const fromGate = { listening: 1, cannotListen: 2, request: 3, late: 4, stopped: 5 } as const;
const toGate = { answer: 1, stop: 2 } as const;
/** Size of the gate's frame beyond the `length` of its client: version and type, connection, and `length` itself. */
const envelopeBytes = headerBytes + 4;
/** Timeout for the gate to exit after its last client, milliseconds. */
const graceMs = 1_000;

export interface GateOptions extends ListenerOptions {
  /** Path of the program to start. */
  readonly program: string;
  /** Called once if the gate exits without being closed, with a description of how it ended. */
  readonly onGone: (how: string) => void;
}

/**
 * Listens through the gate, which is faster than connections of Node. Throws a system error (with `code`) when it
 * cannot listen, and HookvisorError `internal` when the gate does not start.
 */
export async function listenWithGate({ program, place, answer, patienceMs, onGone }: GateOptions): Promise<Listener> {
  const byPath = 'path' in place;
  const child = spawn(program, [String(patienceMs), ...(byPath ? [place.path] : [])], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', byPath ? 'ignore' : place.descriptor],
  });
  const gone = endOf(child);
  // When no descriptor is left, `stdio` is undefined.
  const control = child.pid === undefined ? null : child.stdio[3];
  if (!(control instanceof Socket)) throw unstarted(program, await gone);
  control.on('error', () => undefined);

  const say = (type: number, number: number, bytes: Uint8Array = Buffer.alloc(0)): void => {
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32BE(number, 0);
    control.write(encodeFrame(type, head, bytes));
  };
  const serve = ({ type, body }: Frame): void => {
    const number = body.readUInt32BE(0);
    void answer(type === fromGate.late ? null : body.subarray(4)).then((frame) => {
      say(toGate.answer, number, frame);
    });
  };

  let stopped: () => void = () => undefined;
  const reader = new FrameReader(bounds.frameBytes + envelopeBytes);
  const listening = new Promise<void>((resolve, reject) => {
    void gone.then((how) => {
      reject(unstarted(program, how));
    });
    const take = (frame: Frame): void => {
      if (frame.type === fromGate.listening) resolve();
      else if (frame.type === fromGate.cannotListen) reject(systemError(frame.body.readUInt32BE(0)));
      else if (frame.type === fromGate.stopped) stopped();
      else serve(frame);
    };
    control.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk).forEach(take);
      } catch {
        // Its output is malformed: it is treated as if it had exited.
        child.kill('SIGKILL');
      }
    });
  });
  await listening;
  let closing = false;
  void gone.then((how) => {
    if (!closing) onGone(how);
  });
  return {
    async stop() {
      const told = new Promise<void>((resolve) => (stopped = resolve));
      say(toGate.stop, 0);
      await Promise.race([told, gone]);
    },
    async close() {
      closing = true;
      control.end();
      const kill = setTimeout(() => child.kill('SIGKILL'), patienceMs + graceMs);
      await gone;
      clearTimeout(kill);
    },
  };
}

/** Resolves with how the gate ended, after all of its output has been read. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) => {
      resolve(message);
    });
    child.once('close', (status, signal) => {
      resolve(signal === null ? `it exited with status ${String(status)}` : `it was terminated by ${signal}`);
    });
  });
}

function unstarted(program: string, how: string): HookvisorError {
  return new HookvisorError('internal', `Cannot start '${program}': ${how}; run 'npm run build' again`);
}

/** Creates an error like those of Node for system errors, with a `code`. */
function systemError(errno: number): Error {
  const [code, words] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error'];
  return Object.assign(new Error(`${code}: ${words}`), { code });
}
