import { stat } from 'node:fs/promises';
import { hasCode } from '../error-code.js';
import { HookvisorError, messageOf } from '../errors.js';
import type { HookCall } from '../event.js';
import type { JournaledEvent } from '../journal/events.js';
import { lastEvents, readJournal } from '../journal/read.js';
import type { EventRecord } from '../journal/record.js';
import { listSegments } from '../journal/segments.js';
import { readCaptures } from './captures.js';

/** One hook call of the past, and what was decided about it where that is known. */
export interface RecordedCall {
  /** As it is stored: secrets may be cut out of the document. */
  readonly call: HookCall;
  /** Null for a captured call, about which nothing was decided. */
  readonly record: EventRecord | null;
  /** The document that replaced libvirt's, as it is stored; null when there is none. */
  replacement(): Buffer | null;
}

/**
 * Reads recorded calls, oldest first: the events of a journal's folder, or a file of captured calls. Throws HookvisorError
 * `usage` when it is neither, `journal` or `protocol` with the place for what cannot be read.
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
      `Cannot replay '${source}': it holds no journal; name the folder of one, or a file of captured calls`,
    );
  }
  for await (const event of readJournal(source)) yield fromJournal(event);
}

/** The last `limit` events that a handler was asked about, oldest first. Throws HookvisorError `journal`. */
export async function lastCalls(dir: string, handler: string, limit: number): Promise<RecordedCall[]> {
  const matches = ({ record }: JournaledEvent): boolean => record.handlers.some((one) => one.handler === handler);
  return limit === 0 ? [] : (await lastEvents(dir, { limit, matches })).map(fromJournal);
}

/** A journaled event as a call that can be decided again. */
function fromJournal(event: JournaledEvent): RecordedCall {
  const { record } = event;
  return {
    call: { event: { ...record.event, time: record.time, uuid: record.uuid }, document: event.document() },
    record,
    replacement: () => event.replacement(),
  };
}

function problemOf(error: unknown): string {
  return hasCode(error, 'ENOENT') ? "it does not exist; name a journal's folder or a .jsonl file" : messageOf(error);
}
