import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame, encodeHeadAndTail, FrameReader, type Frame } from '../../src/contract/framing.js';
import { bounds } from '../../src/contract/limits.js';
import { frameType } from '../../src/contract/hook-frames.js';

/** What the calls of a while came to. */
export interface Calls {
  readonly statuses: ReadonlySet<number>;
  /** Most time that the thread which answers computed between a request and its answer, milliseconds. */
  readonly busyMs: number;
}

/** Sends a frame on a connection of its own, as the hook client does, and reads the answer. */
export function exchange(socket: string, frame: Buffer): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(frame));
    const frames = new FrameReader(bounds.frameBytes);
    connection.on('error', reject);
    connection.on('data', (chunk: Buffer) => {
      const [answer] = frames.push(chunk);
      if (answer === undefined) return;
      connection.destroy();
      resolve(answer);
    });
  });
}

/** The frame of a command to the runtime. */
export function commandFrame(command: string): Buffer {
  return encodeFrame(frameType.command, ...encodeHeadAndTail({ command }, null));
}

const operations = ['prepare', 'start', 'started', 'stopped', 'release'];

function hookFrame(at: number): Buffer {
  const words = Buffer.from(['qemu', 'tiny', operations[at % operations.length], 'begin', '-'].join('\0'));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(words.length);
  return encodeFrame(frameType.hookCall, length, words, Buffer.from('<domain><name>tiny</name></domain>'));
}

/**
 * Makes 50 hook calls a second while `work` goes on, and asks something that the runtime's main thread alone can answer
 * (with a refusal) as often. Its time is taken in processor time: what other processes take does not count.
 */
export async function callsDuring(
  runtime: { socket: string; pid: number },
  work: () => Promise<unknown>,
): Promise<Calls> {
  const { socket, pid } = runtime;
  const statuses = new Set<number>();
  const pending = new Set<Promise<unknown>>();
  const keep = (promise: Promise<unknown>): void => {
    pending.add(promise);
    void promise.finally(() => pending.delete(promise));
  };
  let count = 0;
  let busyMs = 0;
  const hook = async (at: number): Promise<void> => {
    const { type, body } = await exchange(socket, hookFrame(at));
    statuses.add(type === frameType.hookAnswer ? body.readUInt8(0) : -1);
  };
  const ask = async (): Promise<void> => {
    const before = computedMs(pid);
    await exchange(socket, commandFrame('nothing'));
    busyMs = Math.max(busyMs, computedMs(pid) - before);
  };
  const state = { working: true };
  const calling = (async () => {
    while (state.working) {
      keep(hook(count++));
      keep(ask());
      await sleep(20);
    }
  })();
  try {
    await work();
    // The first calls that the new configuration decides count as well.
    await sleep(500);
  } finally {
    state.working = false;
    await calling;
  }
  await Promise.all(pending);
  return { statuses, busyMs };
}

/** Processor time of a process' main thread, milliseconds; the kernel counts in nanoseconds here. */
function computedMs(pid: number): number {
  const [nanoseconds = '0'] = readFileSync(join('/proc', String(pid), 'task', String(pid), 'schedstat'), 'utf8').split(
    ' ',
  );
  return Number(nanoseconds) / 1e6;
}
