import type { Socket } from 'node:net';
import { toHookAnswer } from '../dispatch/answer.js';
import { HookvisorError, messageOf } from '../errors.js';
import { decodeHeadAndTail, encodeFrame, encodeHeadAndTail, type Frame, FrameReader } from '../framing.js';
import { bounds } from '../limits.js';
import type { Log } from '../log.js';
import { commandSchema, decodeHookRequest, encodeHookAnswer, frameType } from './protocol.js';
import type { Runtime } from './runtime.js';

/** How long a connection may take to deliver its one frame, milliseconds. */
const requestDeadlineMs = 10_000;

/**
 * Serves one connection: one request, one answer. Whatever arrives on it, nothing is thrown; what is no request gets
 * a refusal. Resolves when the answer has been handed over or the peer is gone.
 */
export async function serveConnection(socket: Socket, runtime: Runtime, log: Log): Promise<void> {
  // A client may hang up at any time; its event is decided and journaled all the same.
  socket.on('error', () => socket.destroy());
  try {
    const frame = await readFrame(socket);
    if (frame === null) return;
    finish(socket, await answer(frame, runtime));
  } catch (error) {
    const code = error instanceof HookvisorError ? error.code : 'internal';
    if (code === 'internal') log('error', `Cannot answer a request: ${messageOf(error)}`);
    finish(socket, encodeFrame(frameType.refusal, ...encodeHeadAndTail({ code, message: messageOf(error) }, null)));
  }
}

/** The first frame of a connection; null when the peer leaves before it is whole. */
async function readFrame(socket: Socket): Promise<Frame | null> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(bounds.frameBytes);
    const timer = setTimeout(() => {
      done();
      reject(
        new HookvisorError('timeout', `Cannot read a request: none came within ${requestDeadlineMs / 1000} seconds`),
      );
    }, requestDeadlineMs);
    const onData = (chunk: Buffer): void => {
      try {
        const [frame] = reader.push(chunk);
        if (frame === undefined) return;
        done();
        resolve(frame);
      } catch (error) {
        done();
        reject(error instanceof Error ? error : new HookvisorError('internal', String(error)));
      }
    };
    const onClose = (): void => {
      done();
      socket.destroy();
      resolve(null);
    };
    const done = (): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onClose).off('close', onClose);
      // What comes after the one frame is read and dropped, so that the peer's hanging up is noticed.
      socket.resume();
    };
    socket.on('data', onData).on('end', onClose).on('close', onClose);
  });
}

async function answer(frame: Frame, runtime: Runtime): Promise<Buffer> {
  if (frame.type === frameType.hookCall) {
    const { verdict, document } = await runtime.hook(decodeHookRequest(frame.body));
    return encodeHookAnswer(toHookAnswer(verdict, document));
  }
  if (frame.type === frameType.command) {
    const { head, tail } = decodeHeadAndTail(frame.body);
    return encodeFrame(frameType.commandAnswer, ...(await command(head, tail, runtime)));
  }
  throw new HookvisorError('protocol', `Cannot answer a frame of type ${frame.type}: it is no request`, {
    fields: { type: frame.type },
  });
}

async function command(head: unknown, tail: Buffer, runtime: Runtime): Promise<Uint8Array[]> {
  const parsed = commandSchema.safeParse(head);
  if (!parsed.success) {
    throw new HookvisorError('protocol', `Cannot run the command: ${parsed.error.issues[0]?.message ?? 'unknown'}`, {
      cause: parsed.error,
    });
  }
  switch (parsed.data.command) {
    case 'emit': {
      const { verdict, document } = await runtime.emit(parsed.data, tail.length > 0 ? tail : null);
      return encodeHeadAndTail({ verdict }, document);
    }
    case 'status':
      return encodeHeadAndTail({ status: runtime.status() }, null);
    case 'reload':
      await runtime.reload();
      return encodeHeadAndTail({ reloaded: true, handlers: runtime.config.handlers.size }, null);
    case 'promote':
      await runtime.promotions.promote(parsed.data);
      return encodeHeadAndTail({ promoted: true }, null);
    case 'begin-trial':
      return encodeHeadAndTail({ trial: await runtime.promotions.begin(parsed.data) }, null);
    case 'cancel-trial':
      await runtime.promotions.cancel();
      return encodeHeadAndTail({ cancelled: true }, null);
  }
}

function finish(socket: Socket, frame: Buffer): void {
  if (!socket.destroyed && socket.writable) socket.end(frame);
}
