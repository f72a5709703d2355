import { createServer, type Socket } from 'node:net';
import { encodeFrame, FrameReader } from '../../src/contract/framing.js';
import { bounds } from '../../src/contract/limits.js';

/** A hook call as it came over the socket. */
export interface ReceivedCall {
  /** driver, object, operation, sub-operation, extra … */
  readonly words: readonly Buffer[];
  readonly document: Buffer;
}

/** What the server does with a whole hook call. */
export type Behaviour = (connection: Socket, call: ReceivedCall) => void;

export interface HookServer extends AsyncDisposable {
  readonly calls: readonly ReceivedCall[];
}

/** A stand-in for the runtime, for what a real one cannot be made to show. */
export async function startHookServer(socket: string, behave: Behaviour): Promise<HookServer> {
  const calls: ReceivedCall[] = [];
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    const reader = new FrameReader(bounds.frameBytes);
    open.add(connection);
    connection.on('close', () => open.delete(connection));
    connection.on('error', () => connection.destroy());
    connection.on('data', (chunk) => {
      for (const { body } of reader.push(chunk)) {
        const call = decodeCall(body);
        calls.push(call);
        behave(connection, call);
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socket, resolve);
  });
  return {
    calls,
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function decodeCall(body: Buffer): ReceivedCall {
  const end = 4 + body.readUInt32BE(0);
  const words: Buffer[] = [];
  let from = 4;
  for (let at = 4; at <= end; at++) {
    if (at < end && body[at] !== 0) continue;
    words.push(body.subarray(from, at));
    from = at + 1;
  }
  return { words, document: body.subarray(end) };
}

/** A hook answer as a whole frame. */
export function encodeAnswer(status: number, stdout: Uint8Array, stderr: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(status, 0);
  head.writeUInt32BE(stdout.length, 1);
  return encodeFrame(0x02, head, stdout, stderr);
}

/** Answers every call alike. */
export function answering(status: number, stdout = '', stderr = ''): Behaviour {
  return (connection) => connection.end(encodeAnswer(status, Buffer.from(stdout), Buffer.from(stderr)));
}

/** Answers allow with the document as it came. */
export const echoing: Behaviour = (connection, { document }) => {
  connection.end(encodeAnswer(0, document, Buffer.alloc(0)));
};

/** Writes these bytes instead of an answer and hangs up. */
export function writing(bytes: Uint8Array): Behaviour {
  return (connection) => connection.end(bytes);
}
