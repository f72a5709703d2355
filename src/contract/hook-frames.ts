import { HookvisorError } from './errors.js';
import { encodeFrame, encodeHeader } from './framing.js';

/** Types of frames on the runtime's socket; docs/protocol.md is the specification. */
export const frameType = {
  hookCall: 0x01,
  hookAnswer: 0x02,
  command: 0x10,
  commandAnswer: 0x11,
  refusal: 0x1f,
} as const;

/** A hook call as the client sends it: `u32be length of arguments | arguments separated by NUL | document`. */
export interface HookRequest {
  readonly driver: string;
  /** Object, operation, sub-operation and extra argument, as many as libvirt passed. */
  readonly args: readonly string[];
  /** Null if stdin was empty. */
  readonly document: Buffer | null;
}

/** The exit status and the output of the hook's process. */
export interface HookReply {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Returns a `hookCall` frame in parts, so that a large document is not copied. `words` are driver, object, operation
 * and so on, separated by NUL.
 */
export function encodeHookCall(words: Uint8Array, document: Uint8Array): Uint8Array[] {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(words.length, 0);
  return [encodeHeader(frameType.hookCall, 4 + words.length + document.length), length, words, document];
}

/** Reads the body of a `hookCall` frame. Throws HookvisorError `protocol`. */
export function decodeHookRequest(body: Buffer): HookRequest {
  const length = body.length >= 4 ? body.readUInt32BE(0) : -1;
  if (length < 1 || 4 + length > body.length) {
    throw new HookvisorError('protocol', `Cannot read a hook call: its arguments do not fit its ${body.length} bytes`);
  }
  const [driver = '', ...args] = body.toString('utf8', 4, 4 + length).split('\0');
  const document = body.subarray(4 + length);
  return { driver, args, document: document.length > 0 ? document : null };
}

/** Returns a `hookAnswer` frame: `u8 status | u32be length of stdout | stdout | stderr`. */
export function encodeHookAnswer(answer: HookReply): Buffer {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(answer.status, 0);
  head.writeUInt32BE(answer.stdout.length, 1);
  return encodeFrame(frameType.hookAnswer, head, answer.stdout, answer.stderr);
}

/** Reads the body of a `hookAnswer` frame; returns null if it is truncated. */
export function decodeHookAnswer(body: Buffer): HookReply | null {
  const end = body.length >= 5 ? 5 + body.readUInt32BE(1) : Infinity;
  if (end > body.length) return null;
  return { status: body.readUInt8(0), stdout: body.subarray(5, end), stderr: body.subarray(end) };
}
