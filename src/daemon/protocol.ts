import { z } from 'zod';
import type { HookAnswer } from '../dispatch/answer.js';
import { HookvisorError } from '../errors.js';
import { encodeFrame } from '../framing.js';

/** Frame types on the socket of the runtime; docs/protocol.md is the specification. */
export const frameType = {
  hookCall: 0x01,
  hookAnswer: 0x02,
  command: 0x10,
  commandAnswer: 0x11,
  refusal: 0x1f,
} as const;

/** A hook call of the client: `u32be length of arguments | arguments, separated by NUL | document`. */
export interface HookRequest {
  readonly driver: string;
  /** Object, operation, sub-operation and extra argument, as many as libvirt passed. */
  readonly args: readonly string[];
  /** Null when stdin was empty. */
  readonly document: Buffer | null;
}

/** Decodes the body of a `hookCall` frame. Throws HookvisorError `protocol`. */
export function decodeHookRequest(body: Buffer): HookRequest {
  const length = body.length >= 4 ? body.readUInt32BE(0) : -1;
  if (length < 1 || 4 + length > body.length) {
    throw new HookvisorError('protocol', `Cannot read a hook call: its arguments do not fit its ${body.length} bytes`);
  }
  const [driver = '', ...args] = body.toString('utf8', 4, 4 + length).split('\0');
  const document = body.subarray(4 + length);
  return { driver, args, document: document.length > 0 ? document : null };
}

/** Encodes a `hookAnswer` frame: `u8 status | u32be length of stdout | stdout | stderr`. */
export function encodeHookAnswer(answer: HookAnswer): Buffer {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(answer.status, 0);
  head.writeUInt32BE(answer.stdout.length, 1);
  return encodeFrame(frameType.hookAnswer, head, answer.stdout, answer.stderr);
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u);

/** Fields of a promotion: the handler, its active plug-in and the new one. */
const promotion = { handler: z.string(), from: sha256, to: sha256 };

/** Maximum duration of a trial in milliseconds: the maximum of a timer, rounded down to whole days. */
export const mostTrialMs = 24 * 24 * 3_600_000;

/** The head of a `command` frame. The tail contains the document of an emitted event. */
export const commandSchema = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('emit'),
    kind: z.string().min(1),
    name: z.string(),
    event: z.string().min(1),
    qualifier: z.string(),
    extra: z.string().optional(),
    driver: z.string().min(1).optional(),
  }),
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('reload') }),
  z.strictObject({ command: z.literal('promote'), ...promotion }),
  z.strictObject({
    command: z.literal('begin-trial'),
    ...promotion,
    file: z.string().startsWith('/'),
    durationMs: z.number().int().positive().max(mostTrialMs),
  }),
  z.strictObject({ command: z.literal('cancel-trial') }),
]);
export type Command = z.infer<typeof commandSchema>;
export type EmitCommand = Extract<Command, { command: 'emit' }>;

/** The head of a `refusal` frame. */
export const refusalSchema = z.object({ code: z.string(), message: z.string() });
