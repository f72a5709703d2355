import { z } from 'zod';
import { HookvisorError } from './errors.js';
import type { ErrorCode } from './errors.js';
import { hookEventSchema } from './event.js';
import { decodeHeadAndTail, encodeFrame, encodeHeadAndTail } from './framing.js';
import type { Frame } from './framing.js';
import { bounds } from './limits.js';
import { failureCodes, logLevels } from './outcome.js';
import {
  decodeEvaluate,
  decodeEvaluated,
  encodeEvaluate,
  encodeEvaluated,
  evaluationTypes,
} from './evaluation-frames.js';
import { vetReportSchema } from './vet-report.js';

/**
 * Types of the frames on the pipes of runners and of the admission process, in addition to those in
 * evaluation-frames.ts.
 */
export const frameTypes = { request: 1, reply: 2, admit: 3, admitted: 4 } as const;

const errorCodes = [
  'plugin-refused',
  'plugin-invalid',
  'admission-failed',
  'runner',
  'handler-failed',
  'internal',
] as const satisfies readonly ErrorCode[];

const limitsSchema = z.object({ deadlineMs: z.number(), fuel: z.number(), memoryBytes: z.number() });

const handlerSchema = z.int().nonnegative();

/** The requests to a runner. The tail of `load` is an encoded artefact, that of `evaluate` the document. */
const requestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('load'), handler: handlerSchema, settings: z.string(), limits: limitsSchema }),
  z.object({ kind: z.literal('unload'), handler: handlerSchema }),
  z.object({ kind: z.literal('validate'), handler: handlerSchema }),
  z.object({ kind: z.literal('prepare'), handler: handlerSchema }),
  z.object({ kind: z.literal('usage') }),
  z.object({ kind: z.literal('shrink'), keep: z.int().nonnegative() }),
  z.object({ kind: z.literal('evaluate'), handler: handlerSchema, event: hookEventSchema, document: z.boolean() }),
]);

/** Conversion to one line escapes characters and can lengthen a reason. */
const reasonSchema = z.string().max(16 * bounds.reasonChars);
const logsSchema = z
  .array(z.object({ level: z.enum(logLevels), message: z.string().max(bounds.logChars) }))
  .max(bounds.logLines + 1);

const fuelSchema = z.number().nonnegative().nullable();

/** The resources that a runner process has used since its start, as far as it can measure them itself. */
const usageSchema = z.object({ cpuMs: z.number().nonnegative(), rssBytes: z.number().nonnegative() });

/**
 * The replies of a runner. Every request gets one reply with its id. The tail of `evaluated` is a replaced document.
 */
const replySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('validated'), objection: reasonSchema.nullable() }),
  z.object({
    kind: z.literal('prepared'),
    /** False if no instance could be created. */
    made: z.boolean(),
    tookMs: z.number().nonnegative(),
  }),
  z.object({ kind: z.literal('usage'), usage: usageSchema }),
  z.object({
    kind: z.literal('evaluated'),
    outcome: z.enum(['allow', 'deny', 'replace']),
    reason: reasonSchema,
    fuel: fuelSchema,
    logs: logsSchema,
  }),
  z.object({
    kind: z.literal('failed'),
    code: z.enum(errorCodes),
    failure: z.enum(failureCodes).nullable(),
    message: reasonSchema,
    fuel: fuelSchema,
    logs: logsSchema,
  }),
]);

const sizes = { memoryBytes: z.int().positive(), pluginBytes: z.int().positive() };

/**
 * The request to the admission process; the plug-in is the tail. With `vet`, the process detects the backend itself.
 */
const admitSchema = z.discriminatedUnion('task', [
  z.object({ task: z.literal('admit'), backend: z.enum(['component', 'extism']), ...sizes }),
  z.object({ task: z.literal('vet'), ...sizes }),
]);

const fieldSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The only reply of the admission process. The tail of `artefact` is the encoded artefact. */
const admittedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('artefact') }),
  z.object({ kind: z.literal('report'), report: vetReportSchema }),
  z.object({
    kind: z.literal('failed'),
    code: z.enum(errorCodes),
    message: z.string(),
    fields: z.record(z.string(), fieldSchema),
  }),
]);

const identified = <Body extends z.ZodType>(body: Body) => z.object({ id: z.int().nonnegative(), body });

const schemas = {
  request: identified(requestSchema),
  reply: identified(replySchema),
  admit: admitSchema,
  admitted: admittedSchema,
};

export type RunnerRequest = z.infer<typeof requestSchema>;
export type RunnerReply = z.infer<typeof replySchema>;
export type RunnerUsage = z.infer<typeof usageSchema>;

export type MessageType = keyof typeof schemas;
export type MessageHead<Type extends MessageType> = z.infer<(typeof schemas)[Type]>;

/** Returns a message as one frame, ready for one write. */
export function encodeMessage<Type extends MessageType>(
  type: Type,
  head: MessageHead<Type>,
  tail: Uint8Array | null = null,
): Buffer {
  return encodeFrame(frameTypes[type], ...encodeHeadAndTail(head, tail));
}

/** Returns a request to a runner as one frame. */
export function encodeRequest(id: number, request: RunnerRequest, tail: Uint8Array | null = null): Buffer {
  if (request.kind === 'evaluate') return encodeEvaluate(id, request, tail);
  return encodeMessage('request', { id, body: request }, tail);
}

/** Returns a runner's reply as one frame. */
export function encodeReply(id: number, reply: RunnerReply, tail: Uint8Array | null = null): Buffer {
  if (reply.kind === 'evaluated' && reply.logs.length === 0) return encodeEvaluated(id, reply, tail);
  return encodeMessage('reply', { id, body: reply }, tail);
}

/** Reads a message of the expected type, without its tail. Throws HookvisorError `protocol` for any other frame. */
export function decodeMessage<Type extends MessageType>(
  type: Type,
  frame: Frame,
): { head: MessageHead<Type>; tail: Buffer } {
  if (frame.type !== frameTypes[type]) {
    throw new HookvisorError('protocol', `Cannot read a message: frame type ${frame.type} is not '${type}'`);
  }
  const { head, tail } = decodeHeadAndTail(frame.body);
  const parsed = schemas[type].safeParse(head);
  if (!parsed.success) {
    throw new HookvisorError('protocol', `Cannot read a '${type}' message: its fields are invalid`, {
      cause: parsed.error,
    });
  }
  // TypeScript cannot infer the schema from the lookup by `type`; the schema has just checked the fields.
  return { head: parsed.data as MessageHead<Type>, tail };
}

/** Reads a runner's reply. Throws HookvisorError `protocol` for anything else. */
export function decodeReply(frame: Frame): { head: MessageHead<'reply'>; tail: Buffer } {
  return frame.type === evaluationTypes.evaluated ? decodeEvaluated(frame.body) : decodeMessage('reply', frame);
}

/**
 * Reads a request in the runner. Its fields need no check: the sender is the runtime, of the same release and with more
 * rights. Throws HookvisorError `protocol` for any other frame.
 */
export function decodeRequest(frame: Frame): { head: MessageHead<'request'>; tail: Buffer } {
  if (frame.type === evaluationTypes.evaluate) return decodeEvaluate(frame.body);
  if (frame.type !== frameTypes.request) {
    throw new HookvisorError('protocol', `Cannot read a message: frame type ${frame.type} is not 'request'`);
  }
  const { head, tail } = decodeHeadAndTail(frame.body);
  // `encodeMessage` encoded it from this type.
  return { head: head as MessageHead<'request'>, tail };
}

/** Returns whether a code may cross a process boundary unchanged. */
export function isKnownErrorCode(code: ErrorCode): code is (typeof errorCodes)[number] {
  return errorCodes.some((known) => known === code);
}
