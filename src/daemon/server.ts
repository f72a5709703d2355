import { createServer, type Socket } from 'node:net';
import { unlink } from 'node:fs/promises';
import type { Log } from '../log.js';
import { serveConnection } from './connection.js';
import { listen } from './listen.js';
import type { Runtime } from './runtime.js';

/** The runtime's socket. Disposing it takes no new connection, lets those under way finish, then removes the socket. */
export interface HookServer extends AsyncDisposable {
  readonly socket: string;
}

/** Serves a runtime on its configured socket. Throws as {@link listen} does. */
export async function startServer(runtime: Runtime, log: Log): Promise<HookServer> {
  const connections = new Map<Socket, Promise<void>>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const served = serveConnection(socket, runtime, log);
    connections.set(socket, served);
    void served.finally(() => {
      if (socket.closed) connections.delete(socket);
      else socket.once('close', () => connections.delete(socket));
    });
  });
  const path = runtime.config.socket;
  const { ours } = await listen(server, path);
  server.on('error', (error) => {
    log('error', `The socket '${path}': ${error.message}`);
  });

  let closed: Promise<void> | null = null;
  return {
    socket: path,
    async [Symbol.asyncDispose]() {
      closed ??= (async () => {
        const ended = new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        });
        if (ours) await unlink(path).catch(() => undefined);
        await drain(connections);
        await ended;
      })();
      await closed;
    },
  };
}

/** Waits for the answers under way; a connection that has not yet delivered a request does not hold up the end. */
async function drain(connections: ReadonlyMap<Socket, Promise<void>>): Promise<void> {
  for (const socket of connections.keys()) {
    if (socket.bytesRead === 0) socket.destroy();
  }
  await Promise.all(connections.values());
  for (const socket of connections.keys()) {
    socket.destroySoon();
    socket.resume();
  }
}
