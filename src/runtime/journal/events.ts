import { z } from 'zod';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { documentPrefix, type DocumentRef, eventPrefix, type EventRecord, journalLineSchema } from './record.js';

/** A recorded event with everything that a replay needs. */
export interface JournaledEvent {
  readonly record: EventRecord;
  /** The document as stored: without its secrets if the record says `redacted`; null if there is none. */
  document(): Buffer | null;
  /** The same for its replacement. */
  replacement(): Buffer | null;
}

/** Reads the lines of one segment, in order. Throws HookvisorError `journal` for an invalid line. */
export type SegmentDecoder = (line: Buffer) => JournaledEvent | null;

const storedSchema = z.object({ text: z.string().exactOptional(), base64: z.string().exactOptional() });

/** Creates a decoder for the segment at `path`. Documents precede their events, in the same segment. */
export function createDecoder(path: string): SegmentDecoder {
  const documents = new Map<string, Buffer>();
  let number = 0;
  const stored = (ref: DocumentRef | null): Buffer | null => {
    const line = documents.get(ref?.sha256 ?? '');
    if (line === undefined) return null;
    const { text, base64 } = storedSchema.parse(JSON.parse(line.toString('utf8')));
    return text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
  };
  return (line) => {
    number += 1;
    if (startsWith(line, documentPrefix)) {
      documents.set(line.toString('latin1', documentPrefix.length, documentPrefix.length + 64), line);
      return null;
    }
    if (!startsWith(line, eventPrefix)) return null;
    const record = parseLine(line, `${path}:${number}`);
    if (record.type !== 'event') return null;
    return { record, document: () => stored(record.document), replacement: () => stored(record.replacement) };
  };
}

function startsWith(line: Buffer, prefix: string): boolean {
  return line.toString('latin1', 0, prefix.length) === prefix;
}

function parseLine(line: Buffer, place: string): z.infer<typeof journalLineSchema> {
  try {
    return journalLineSchema.parse(JSON.parse(line.toString('utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : messageOf(error);
    throw new HookvisorError(
      'journal',
      `Cannot read the record '${place}': ${why ?? 'it is invalid'}; run 'hookvisor journal verify', or read it with ` +
        `the release that wrote it`,
      { cause: error, fields: { place } },
    );
  }
}
