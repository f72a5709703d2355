import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { headerBytes, protocolVersion } from '../../contract/framing.js';
import { bounds } from '../../contract/limits.js';
import type { Listener, ListenerOptions } from './listener.js';

/** Backlog of the socket; the kernel limits it to net.core.somaxconn. */
const backlog = 4_096;

/** Listens with Node, where the gate is not built. Throws the error of the system. */
export async function listenWithNode({ place, answer, patienceMs }: ListenerOptions): Promise<Listener> {
  const open = new Map<Socket, { asked: boolean }>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const state = { asked: false };
    open.set(socket, state);
    socket.once('close', () => open.delete(socket));
    // A client may close the connection at any time; its event is decided and journaled nevertheless.
    socket.on('error', () => socket.destroy());
    void readRequest(socket, patienceMs).then(async (request) => {
      if (request === undefined) return;
      state.asked = true;
      const frame = await answer(request);
      if (socket.destroyed || !socket.writable) return;
      socket.end(frame);
      const late = setTimeout(() => socket.destroy(), patienceMs);
      socket.once('close', () => {
        clearTimeout(late);
      });
    });
  });
  if ('path' in place) bindPrivately(() => server.listen({ path: place.path, backlog }));
  else server.listen({ fd: place.descriptor, backlog });
  await once(server, 'listening');
  const closed = once(server, 'close');
  return {
    stop() {
      server.close();
      for (const [socket, { asked }] of open) if (!asked) socket.destroy();
      return Promise.resolve();
    },
    async close() {
      for (const socket of open.keys()) {
        socket.destroySoon();
        socket.resume();
      }
      await closed;
    },
  };
}

/** Sets the umask while binding, so that the mode is never wrong; libuv binds before listen() returns. */
function bindPrivately(listen: () => void): void {
  const umask = process.umask(0o177);
  try {
    listen();
  } finally {
    process.umask(umask);
  }
}

/** Reads the bytes of the request; null after the timeout, undefined when the peer closes the connection before. */
async function readRequest(socket: Socket, patienceMs: number): Promise<Buffer | null | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let have = 0;
    let size: number | null = null;
    const done = (request: Buffer | null | undefined): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onClose).off('close', onClose);
      // Data after the request is read and discarded, so that the end of the connection is noticed.
      socket.resume();
      resolve(request);
    };
    const timer = setTimeout(done, patienceMs, null);
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      have += chunk.length;
      if (size === null && have >= headerBytes) size = requestSize(Buffer.concat(chunks));
      if (size !== null && have >= size) done(Buffer.concat(chunks).subarray(0, size));
    };
    const onClose = (): void => {
      socket.destroy();
      done(undefined);
    };
    socket.on('data', onData).on('end', onClose).on('close', onClose);
  });
}

/** Returns the complete request, or only the header of a malformed frame, which is then refused. */
function requestSize(head: Buffer): number {
  const length = head.readUInt32BE(0);
  const plausible = length >= 2 && length <= bounds.frameBytes && head.readUInt8(4) === protocolVersion;
  return plausible ? 4 + length : headerBytes;
}
