import { stat } from 'node:fs/promises';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import type { HookCall } from '../../contract/event.js';
import type { JournaledEvent } from '../../runtime/journal/events.js';
import { lastEvents, readJournal } from '../../runtime/journal/read.js';
import type { EventRecord } from '../../runtime/journal/record.js';
import { listSegments } from '../../runtime/journal/segments.js';
import { readCaptures } from './captures.js';

/** One recorded hook call, with its decision if known. */
export interface RecordedCall {
  /** The call as stored: secrets may be removed from the document. */
  readonly call: HookCall;
  /** Null for a captured call, which has no decision. */
  readonly record: EventRecord | null;
  /** Reads the stored replacement of the document; null when there is none. */
  replacement(): Buffer | null;
}

/**
 * Reads recorded calls, oldest first, from a journal folder or a file of captured calls. Throws HookvisorError `usage`
 * when the source is neither, `journal` or `protocol` with the position of what cannot be read.
 */
export async function* readSource(source: string): AsyncGenerator<RecordedCall> {
  const found = await stat(source).catch((error: unknown) => {
    throw new HookvisorError('usage', `Cannot replay '${source}': ${problemOf(error)}`, { cause: error });
  });
  if (found.isFile()) {
    yield* readCaptures(source);
    return;
  }
  if ((await listSegments(source)).length === 0) {
    throw new HookvisorError(
      'usage',
      `Cannot replay '${source}': it contains no journal; specify a journal folder or a file of captured calls`,
    );
  }
  for await (const event of readJournal(source)) yield fromJournal(event);
}

/** Reads the last `limit` events that a handler was asked about, oldest first. Throws HookvisorError `journal`. */
export async function lastCalls(dir: string, handler: string, limit: number): Promise<RecordedCall[]> {
  const matches = ({ record }: JournaledEvent): boolean => record.handlers.some((one) => one.handler === handler);
  return limit === 0 ? [] : (await lastEvents(dir, { limit, matches })).map(fromJournal);
}

/** Converts a journaled event into a recorded call. */
function fromJournal(event: JournaledEvent): RecordedCall {
  const { record } = event;
  return {
    call: { event: { ...record.event, time: record.time, uuid: record.uuid }, document: event.document() },
    record,
    replacement: () => event.replacement(),
  };
}

function problemOf(error: unknown): string {
  return hasCode(error, 'ENOENT') ? 'it does not exist; specify a journal folder or a .jsonl file' : messageOf(error);
}
