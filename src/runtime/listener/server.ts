import type { Log } from '../log.js';
import { answerRequest, requestDeadlineMs } from './answer-request.js';
import { listen } from './listen.js';
import type { Runtime } from '../runtime.js';

/** The socket of the runtime. Disposing it stops accepting, finishes requests in flight, then removes the socket. */
export interface HookServer extends AsyncDisposable {
  readonly socket: string;
}

/** Serves a runtime on its configured socket. Throws like {@link listen}. */
export async function startServer(runtime: Runtime, log: Log): Promise<HookServer> {
  const inFlight = new Set<Promise<Buffer>>();
  const answer = (request: Buffer | null): Promise<Buffer> => {
    const answering = answerRequest(request, runtime, log);
    inFlight.add(answering);
    void answering.then(() => inFlight.delete(answering));
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
        await Promise.all(inFlight);
        await listener.close();
      })();
      await closed;
    },
  };
}
