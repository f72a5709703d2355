import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import { encodeFrame } from '../../src/contract/framing.js';
import { gateProgram, listenWithGate } from '../../src/runtime/listener/gate.js';
import { listen } from '../../src/runtime/listener/listen.js';
import type { Answer, Listener, ListenerOptions } from '../../src/runtime/listener/listener.js';
import { listenWithNode } from '../../src/runtime/listener/net-listener.js';
import { temporaryFolder } from './temp.js';

export type Listen = (options: ListenerOptions) => Promise<Listener>;

const onGone = (how: string): void => {
  throw new Error(`the gate is gone: ${how}`);
};

/** Both listeners; every claim of src/runtime/listener/listener.ts is made of each. */
export const listeners: readonly { readonly label: string; readonly listen: Listen }[] = [
  { label: 'the gate', listen: (options) => listenWithGate({ ...options, program: gateProgram, onGone }) },
  { label: 'the listener in Node', listen: listenWithNode },
];

/** The gate that a process started; null when it has none. */
export function gateNow(parent: number | undefined = process.pid): number | null {
  const children = execFileSync('ps', ['-o', 'pid=,state=,comm=', '--ppid', String(parent)], { encoding: 'utf8' });
  const [, pid] = /^\s*(\d+) [^Z] gate$/mu.exec(children) ?? [];
  return pid === undefined ? null : Number(pid);
}

export function gateOf(parent: number | undefined = process.pid): number {
  const pid = gateNow(parent);
  if (pid === null) throw new Error(`process ${String(parent)} has no gate`);
  return pid;
}

/** Whether a process is there and has not ended; one that nobody has reaped has. */
export function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export interface Opened {
  readonly socket: string;
  readonly listener: Listener;
  /** What was handed over so far. */
  readonly requests: readonly (Buffer | null)[];
}

/** What {@link open} answers a request with, unless it is told otherwise. */
export const echo: Answer = (request) => Promise.resolve(answerTo(request?.subarray(6).toString() ?? 'nothing'));

/** A socket of its own, which is closed when the test is over. */
export async function open(
  listenWith: Listen,
  { answer = echo, patienceMs = 10_000 }: { answer?: Answer; patienceMs?: number } = {},
): Promise<Opened> {
  const socket = join(temporaryFolder(), 'socket');
  const requests: (Buffer | null)[] = [];
  const listener = await listenWith({
    place: { path: socket },
    patienceMs,
    answer(request) {
      // The listener may use its memory again.
      requests.push(request === null ? null : Buffer.from(request));
      return answer(request);
    },
  });
  onTestFinished(async () => {
    await listener.stop();
    await listener.close();
  });
  return { socket, listener, requests };
}

/** Listens at a path as the runtime does, and keeps what it logs. Closed when the test is over. */
export async function openAsRuntime(
  path: string,
  program = gateProgram,
): Promise<{ socket: string; listener: Listener; said: string[] }> {
  const said: string[] = [];
  const log = (level: string, message: string): void => {
    said.push(`${level}: ${message}`);
  };
  const listener = await listen({ path, answer: echo, log, patienceMs: 5_000, program });
  onTestFinished(async () => {
    await listener.stop();
    expect(existsSync(path)).toBe(false);
    await listener.close();
  });
  return { socket: path, listener, said };
}

/** A request as clients send it. */
export const call = (text: string): Buffer => encodeFrame(0x01, Buffer.from(text));

/** The answer that {@link echo} gives to such a request. */
export const answerTo = (text: string): Buffer => encodeFrame(0x02, Buffer.from(text));

/** A client that bears being hung up on. */
export async function dial(socket: string): Promise<Socket> {
  const client = connect(socket);
  await once(client, 'connect');
  client.on('error', () => undefined);
  return client;
}

/** What comes until the other side hangs up. */
export function received(client: Socket): Promise<Buffer> {
  return buffer(client).catch(() => Buffer.from('(reset)'));
}

/** The moment when the other side is known to have hung up, also to a client that does not read but write. */
export function hungUp(client: Socket): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => {
      resolve();
    });
  });
}

/** Sends bytes and gives what comes back until the other side hangs up. */
export async function ask(socket: string, bytes: Uint8Array): Promise<Buffer> {
  const client = await dial(socket);
  client.write(bytes);
  return received(client);
}

/** Answers that are given when the test says so, by the text of their requests. */
export function held(): { readonly answer: Answer; readonly give: (text: string, answer?: Buffer) => Promise<void> } {
  const waiting = new Map<string, (answer: Buffer) => void>();
  return {
    answer: (request) => new Promise((resolve) => waiting.set(request?.subarray(6).toString() ?? 'nothing', resolve)),
    async give(text, answer = answerTo(text)) {
      await expect.poll(() => [...waiting.keys()]).toContain(text);
      waiting.get(text)?.(answer);
    },
  };
}
