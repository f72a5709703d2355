import type { Log } from '../log.js';
import { answerRequest, requestDeadlineMs } from './answer-request.js';
import { listen } from './listen.js';
import { listenForReaders } from './readers-socket.js';
import type { Role } from '../../contract/protocol.js';
import type { Runtime } from '../runtime.js';

/** The socket of the runtime. Disposing it stops accepting, finishes requests in flight, then removes the socket. */
export interface HookServer extends AsyncDisposable {
  readonly socket: string;
}

/** Serves a runtime on its configured socket. Throws like {@link listen}. */
export async function startServer(runtime: Runtime, log: Log): Promise<HookServer> {
  const inFlight = new Set<Promise<Buffer>>();
  const answerAs =
    (role: Role) =>
    (request: Buffer | null): Promise<Buffer> => {
      const answering = answerRequest(request, { runtime, log, role });
      inFlight.add(answering);
      void answering.then(() => inFlight.delete(answering));
      return answering;
    };
  const { socket, readers } = runtime.config;
  const common = { patienceMs: requestDeadlineMs, log };
  const listeners = [await listen({ path: socket, answer: answerAs('operator'), ...common })];
  if (readers !== null) {
    const forReaders = await listenForReaders({ socket, group: readers, answer: answerAs('read-only'), ...common });
    if (forReaders !== null) listeners.push(forReaders);
  }
  let closed: Promise<void> | null = null;
  return {
    socket,
    async [Symbol.asyncDispose]() {
      closed ??= (async () => {
        await Promise.all(listeners.map((listener) => listener.stop()));
        await Promise.all(inFlight);
        await Promise.all(listeners.map((listener) => listener.close()));
      })();
      await closed;
    },
  };
}
