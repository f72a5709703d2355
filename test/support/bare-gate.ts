import { spawn } from 'node:child_process';
import { connect, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { encodeFrame, type Frame, FrameReader } from '../../src/contract/framing.js';

// The numbers of native/gate.c.
export const fromGate = { listening: 1, cannotListen: 2, request: 3, late: 4, stopped: 5 } as const;
const toGate = { answer: 1, stop: 2 } as const;

/** The native gate without a runtime: a test speaks with it itself, and so can say what no runtime says. */
export interface BareGate {
  readonly pid: number;
  /** What it has said so far. */
  readonly frames: readonly Frame[];
  /** Resolves when this is so, or when it has ended; rejects with what the condition throws. */
  until(condition: () => boolean): Promise<void>;
  /** Gives an answer in pieces, cut where it is said; resolves when the system has taken all. */
  answer(number: number, bytes: Buffer, cuts?: readonly number[]): Promise<void>;
  stop(): void;
  /** Closes its socket to the runtime: in one direction, or at once with all that was not read. */
  leave(how: 'ends' | 'is gone'): void;
  kill(signal: NodeJS.Signals): void;
  /** Its exit status, and what it wrote on stderr. */
  readonly ended: Promise<{ readonly status: number | null; readonly said: string }>;
}

export interface BareGateOptions {
  readonly program: string;
  readonly socket: string;
  readonly patienceMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

export function startBareGate({ program, socket, patienceMs, env = {} }: BareGateOptions): BareGate {
  const child = spawn(program, [String(patienceMs), socket], { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const control = child.stdio[3];
  if (!(control instanceof Socket) || child.stderr === null || child.pid === undefined)
    throw new Error(`cannot start '${program}'`);
  const said = text(child.stderr);
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const reader = new FrameReader(128 * 1024 * 1024);
  control.on('error', () => undefined);
  control.on('data', (chunk: Buffer) => {
    for (const { type, body } of reader.push(chunk)) frames.push({ type, body: Buffer.from(body) });
    wake();
  });
  let over = false;
  const status = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      over = true;
      wake();
      resolve(code);
    });
  });
  const put = (bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      control.write(bytes, () => {
        resolve();
      });
    });
  return {
    pid: child.pid,
    frames,
    until(condition) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          try {
            if (!condition() && !over) return;
            resolve();
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      });
    },
    async answer(number, bytes, cuts = []) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(number);
      const frame = encodeFrame(toGate.answer, head, bytes);
      let from = 0;
      for (const cut of cuts.filter((at) => at < frame.length).sort((one, two) => one - two)) {
        await put(frame.subarray(from, cut));
        await turn();
        from = cut;
      }
      await put(frame.subarray(from));
    },
    stop() {
      control.write(encodeFrame(toGate.stop, Buffer.alloc(4)));
    },
    leave(how) {
      if (how === 'ends') control.end();
      else control.destroy();
    },
    kill: (signal) => child.kill(signal),
    ended: Promise.all([status, said]).then(([code, words]) => ({ status: code, said: words })),
  };
}

/** One client, and what it has got when the other side has hung up, however that was. */
export interface BareClient {
  readonly socket: Socket;
  readonly got: Promise<Buffer>;
}

/** Resolves when it is connected, or cannot be: then it has got nothing. */
export async function visit(path: string): Promise<BareClient> {
  const socket = connect({ path, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.on('end', () => socket.destroy());
  const got = new Promise<Buffer>((resolve) => {
    socket.once('close', () => {
      resolve(Buffer.concat(chunks));
    });
  });
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), got]);
  return { socket, got };
}
