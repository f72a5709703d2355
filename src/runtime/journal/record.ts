import { z } from 'zod';
import { verdictSchema } from '../../contract/verdict.js';

/** Version of the format of lines. */
export const journalVersion = 1;

const digest = z.string().regex(/^[0-9a-f]{64}$/u);

/** Members of every line: its number across all segments, and the hash that links it to the previous line. */
const common = { v: z.literal(journalVersion), seq: z.number().int().positive(), hash: digest };

/** The first line of a segment. `prev` is the hash of the last line of the previous segment. */
const segmentRecordSchema = z.object({
  type: z.literal('segment'),
  ...common,
  number: z.number().int().positive(),
  prev: digest,
  time: z.number(),
  /** Versions of the software that wrote it. */
  hookvisor: z.string(),
  node: z.string(),
});

/** A document, once in each segment that refers to it. `base64` if it is not UTF-8. */
const documentRecordSchema = z.object({
  type: z.literal('document'),
  sha256: digest,
  ...common,
  text: z.string().exactOptional(),
  base64: z.string().exactOptional(),
});

/** The reference of an event to a document. */
const documentRefSchema = z.object({
  /** Digest of the document as stored; null if it is not stored because its secrets could not be located. */
  sha256: digest.nullable(),
  /** Size of the document that the handlers saw. */
  bytes: z.number(),
  /** Whether secrets were removed: a replay then does not see what the handlers saw. */
  redacted: z.boolean(),
  /** HMAC-SHA256, with the key of the journal, of the document that the handlers saw; only if it was redacted. */
  original: digest.exactOptional(),
});

const handlerRecordSchema = verdictSchema.shape.handlers.element.extend({
  /** sha256 of the plug-in; null for a script, which can change at any time. */
  digest: digest.nullable(),
  /** sha256 of the settings as JSON. */
  settings: digest.nullable(),
});

/** An event and its verdict. */
const eventRecordSchema = z.object({
  type: z.literal('event'),
  ...common,
  /** When the runtime received the call, milliseconds since the Unix epoch. */
  time: z.number(),
  uuid: z.string().nullable(),
  document: documentRefSchema.nullable(),
  /** The replacement of the document, if there is one. */
  replacement: documentRefSchema.nullable(),
  ...verdictSchema.shape,
  handlers: z.array(handlerRecordSchema),
});

/** Events that were answered but could not be recorded, for example because the disk was full. */
const gapRecordSchema = z.object({
  type: z.literal('gap'),
  ...common,
  lost: z.number().int().positive(),
  /** Time of the first and the last lost event, milliseconds since the Unix epoch. */
  since: z.number(),
  until: z.number(),
});

/** One line of the journal. */
export const journalLineSchema = z.discriminatedUnion('type', [
  segmentRecordSchema,
  documentRecordSchema,
  eventRecordSchema,
  gapRecordSchema,
]);

export type JournalLine = z.infer<typeof journalLineSchema>;
export type EventRecord = z.infer<typeof eventRecordSchema>;
export type DocumentRef = z.infer<typeof documentRefSchema>;

type Unsealed<T> = T extends unknown ? Omit<T, 'seq' | 'hash'> : never;

/** A line before it is added to the chain. */
export type LineBody = Unsealed<JournalLine>;

/** Start of the line of a document; its digest follows. Readers find documents by it without parsing. */
export const documentPrefix = '{"type":"document","sha256":"';

/** Start of the line of an event. */
export const eventPrefix = '{"type":"event"';
