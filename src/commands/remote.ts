import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { hasCode } from '../contract/error-code.js';
import { HookvisorError, isErrorCode, messageOf } from '../contract/errors.js';
import { decodeHeadAndTail, encodeFrame, encodeHeadAndTail, FrameReader } from '../contract/framing.js';
import { frameType } from '../contract/hook-frames.js';
import { bounds } from '../contract/limits.js';
import { type Command, readOnlyCommands, readOnlySocketName, refusalSchema } from '../contract/protocol.js';

/** A request from the command line to a running runtime. */
export interface RemoteRequest {
  readonly socket: string;
  readonly command: Command;
  readonly document?: Buffer | null;
  /** Timeout for the answer, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Sends a request to a running runtime. The head of the answer is not validated. Throws HookvisorError `unreachable`,
 * `timeout` or `protocol` if there is no answer. If the runtime refuses, throws its message with its code, which is also
 * in the field `refused`; a code that this release does not know becomes `refused`.
 */
export async function askRuntime(request: RemoteRequest): Promise<{ head: unknown; tail: Buffer }> {
  const { socket: path, command, document = null, timeoutMs } = request;
  const frame = encodeFrame(frameType.command, ...encodeHeadAndTail(command, document));
  const { type, body } = await exchange(path, frame, timeoutMs).catch(async (error: unknown) => {
    if (!isForbidden(error) || !readOnlyCommands.includes(command.command)) throw error;
    // Whoever may not use this socket may be allowed to look.
    return exchange(join(dirname(path), readOnlySocketName), frame, timeoutMs).catch(() => {
      throw error;
    });
  });
  const answer = decodeHeadAndTail(body);
  if (type === frameType.commandAnswer) return answer;
  const refusal = refusalSchema.safeParse(answer.head);
  if (type !== frameType.refusal || !refusal.success) {
    throw new HookvisorError('protocol', `Cannot ask the runtime at '${path}': unrecognised reply; check its version`);
  }
  const { code, message } = refusal.data;
  throw new HookvisorError(isErrorCode(code) ? code : 'refused', message, { fields: { refused: code } });
}

async function exchange(path: string, frame: Buffer, timeoutMs: number): Promise<{ type: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const reader = new FrameReader(bounds.frameBytes);
    const fail = (error: HookvisorError): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      fail(
        new HookvisorError(
          'timeout',
          `Cannot ask the runtime at '${path}': no answer within ${timeoutMs / 1000} seconds`,
        ),
      );
    }, timeoutMs);
    socket.on('connect', () => {
      socket.write(frame);
    });
    socket.on('data', (chunk) => {
      try {
        const [answer] = reader.push(chunk);
        if (answer === undefined) return;
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      } catch (error) {
        fail(new HookvisorError('protocol', messageOf(error), { cause: error }));
      }
    });
    socket.on('error', (error) => {
      fail(unreachable(path, error));
    });
    socket.on('close', () => {
      fail(unreachable(path, new Error('it closed the connection without an answer')));
    });
  });
}

function isForbidden(error: unknown): boolean {
  return error instanceof HookvisorError && hasCode(error.cause, 'EACCES');
}

function unreachable(path: string, cause: Error): HookvisorError {
  const hint = hasCode(cause, 'EACCES')
    ? `only root may use it; run this as root, or let a group look with 'socket.group'`
    : `start it with 'hookvisor serve', or specify its socket with --socket`;
  return new HookvisorError('unreachable', `Cannot reach the runtime at '${path}': ${cause.message}; ${hint}`, {
    cause,
    fields: { socket: path },
  });
}
