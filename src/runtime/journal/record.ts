import { z } from 'zod';
import { verdictSchema } from '../../contract/verdict.js';

/** Version of the lines below. */
export const journalVersion = 1;

const digest = z.string().regex(/^[0-9a-f]{64}$/u);

/** What every line has: its number, counted through all segments, and the hash that ties it to the line before. */
const common = { v: z.literal(journalVersion), seq: z.number().int().positive(), hash: digest };

/** The first line of a segment. `prev` is the hash of the last line of the segment before it. */
const segmentRecordSchema = z.object({
  type: z.literal('segment'),
  ...common,
  number: z.number().int().positive(),
  prev: digest,
  time: z.number(),
  /** Versions that wrote it. */
  hookvisor: z.string(),
  node: z.string(),
});

/** A document, once in each segment that needs it. `base64` when it is not UTF-8. */
const documentRecordSchema = z.object({
  type: z.literal('document'),
  sha256: digest,
  ...common,
  text: z.string().exactOptional(),
  base64: z.string().exactOptional(),
});

/** How an event names a document. */
const documentRefSchema = z.object({
  /** Digest of the document as it is stored; null when it is not stored, because its secrets could not be found. */
  sha256: digest.nullable(),
  /** Size of the document as the handlers saw it. */
  bytes: z.number(),
  /** Whether secrets were cut out: then a replay does not see what the handlers saw. */
  redacted: z.boolean(),
  /** HMAC-SHA256, under the journal's own key, of the document as the handlers saw it; only where it was redacted. */
  original: digest.exactOptional(),
});

const handlerRecordSchema = verdictSchema.shape.handlers.element.extend({
  /** sha256 of the plugin; null for a script, which may change at any time. */
  digest: digest.nullable(),
  /** sha256 of the settings as JSON. */
  settings: digest.nullable(),
});

/** One event and what was decided. */
const eventRecordSchema = z.object({
  type: z.literal('event'),
  ...common,
  /** When the runtime received the call, milliseconds since the Unix epoch. */
  time: z.number(),
  uuid: z.string().nullable(),
  document: documentRefSchema.nullable(),
  /** What the handlers made of the document, when they replaced it. */
  replacement: documentRefSchema.nullable(),
  ...verdictSchema.shape,
  handlers: z.array(handlerRecordSchema),
});

/** Events that were answered and could not be written: the disk was full, for example. */
const gapRecordSchema = z.object({
  type: z.literal('gap'),
  ...common,
  lost: z.number().int().positive(),
  /** Time of the first and the last of them, milliseconds since the Unix epoch. */
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

/** A line before it has its place in the chain. */
export type LineBody = Unsealed<JournalLine>;

/** How the line of a document begins; its digest follows. Readers find documents by it without parsing. */
export const documentPrefix = '{"type":"document","sha256":"';

/** How the line of an event begins. */
export const eventPrefix = '{"type":"event"';
