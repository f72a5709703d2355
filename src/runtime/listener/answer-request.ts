import { toHookAnswer } from '../dispatch/answer.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { decodeHeadAndTail, encodeFrame, encodeHeadAndTail, type Frame, FrameReader } from '../../contract/framing.js';
import { decodeHookRequest, encodeHookAnswer, frameType } from '../../contract/hook-frames.js';
import { bounds } from '../../contract/limits.js';
import type { Log } from '../log.js';
import { commandSchema, readOnlyCommands, type Role } from '../../contract/protocol.js';
import type { Runtime } from '../runtime.js';

/** Timeout for a client to send its request, milliseconds. */
export const requestDeadlineMs = 10_000;

/**
 * Returns the frame that answers a request frame; null means that no request arrived in time. Never throws: a malformed
 * request is answered with a refusal.
 */
export async function answerRequest(
  bytes: Buffer | null,
  { runtime, log, role }: { runtime: Runtime; log: Log; role: Role },
): Promise<Buffer> {
  try {
    const { type, body } = frameOf(bytes);
    if (type === frameType.hookCall) {
      if (role === 'read-only') throw forbidden('answer a hook call');
      const { verdict, document } = await runtime.hook(decodeHookRequest(body));
      return encodeHookAnswer(toHookAnswer(verdict, document));
    }
    if (type === frameType.command) {
      const { head, tail } = decodeHeadAndTail(body);
      return encodeFrame(frameType.commandAnswer, ...(await command(head, tail, { runtime, role })));
    }
    throw new HookvisorError('protocol', `Cannot answer a frame of type ${type}: it is not a request`, {
      fields: { type },
    });
  } catch (error) {
    const code = error instanceof HookvisorError ? error.code : 'internal';
    if (code === 'internal') log('error', `Cannot answer a request: ${messageOf(error)}`);
    return encodeFrame(frameType.refusal, ...encodeHeadAndTail({ code, message: messageOf(error) }, null));
  }
}

function frameOf(bytes: Buffer | null): Frame {
  const [frame] = bytes === null ? [] : new FrameReader(bounds.frameBytes).push(bytes);
  if (frame !== undefined) return frame;
  const message = `Cannot read a request: none arrived within ${requestDeadlineMs / 1_000} seconds`;
  throw new HookvisorError('timeout', message);
}

async function command(
  head: unknown,
  tail: Buffer,
  { runtime, role }: { runtime: Runtime; role: Role },
): Promise<Uint8Array[]> {
  const parsed = commandSchema.safeParse(head);
  if (!parsed.success) {
    throw new HookvisorError('protocol', `Cannot run the command: ${parsed.error.issues[0]?.message ?? 'unknown'}`, {
      cause: parsed.error,
    });
  }
  if (role === 'read-only' && !readOnlyCommands.includes(parsed.data.command)) {
    throw forbidden(`run '${parsed.data.command}'`);
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

function forbidden(what: string): HookvisorError {
  const message = `Cannot ${what} on this socket: it only allows ${readOnlyCommands.join(', ')}; run this as root`;
  return new HookvisorError('forbidden', message);
}
