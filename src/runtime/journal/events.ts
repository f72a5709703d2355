import { z } from 'zod';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { documentPrefix, type DocumentRef, eventPrefix, type EventRecord, journalLineSchema } from './record.js';

/** One recorded event, with what it takes to decide it again. */
export interface JournaledEvent {
  readonly record: EventRecord;
  /** The document as it is stored: without its secrets where the record says `redacted`; null when there is none. */
  document(): Buffer | null;
  /** The same for the document that replaced it. */
  replacement(): Buffer | null;
}

/** Reads the lines of one segment, in order. Throws HookvisorError `journal` for a line that is no record. */
export type SegmentDecoder = (line: Buffer) => JournaledEvent | null;

const storedSchema = z.object({ text: z.string().exactOptional(), base64: z.string().exactOptional() });

/** A decoder for the segment at `path`. Documents stand before the events that name them, in the same segment. */
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
      `Cannot read the record '${place}': ${why ?? 'it is none'}; run 'hookvisor journal verify', or read it with ` +
        `the release that wrote it`,
      { cause: error, fields: { place } },
    );
  }
}
