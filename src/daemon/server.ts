import type { Log } from '../log.js';
import { answerRequest, requestDeadlineMs } from './answer-request.js';
import { listen } from './listen.js';
import type { Runtime } from './runtime.js';

/** The runtime's socket. Disposing it takes no new connection, lets those under way finish, then removes the socket. */
export interface HookServer extends AsyncDisposable {
  readonly socket: string;
}

/** Serves a runtime on its configured socket. Throws as {@link listen} does. */
export async function startServer(runtime: Runtime, log: Log): Promise<HookServer> {
  const underWay = new Set<Promise<Buffer>>();
  const answer = (request: Buffer | null): Promise<Buffer> => {
    const answering = answerRequest(request, runtime, log);
    underWay.add(answering);
    void answering.then(() => underWay.delete(answering));
    return answering;
  };
  const { socket } = runtime.config;
  const listener = await listen({ path: socket, answer, patienceMs: requestDeadlineMs, log });
  let closed: Promise<void> | null = null;
  return {
    socket,
    async [Symbol.asyncDispose]() {
      closed ??= (async () => {
        await listener.stop();
        await Promise.all(underWay);
        await listener.close();
      })();
      await closed;
    },
  };
}
