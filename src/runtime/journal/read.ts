import { createDecoder, type JournaledEvent } from './events.js';
import { listSegments, loadSegment, type Segment, splitLines } from './segments.js';

export interface ReadOptions {
  /** Only events since this time, milliseconds since the Unix epoch. */
  readonly since?: number;
}

/**
 * Yields the recorded events of a journal, oldest first, even while it is being written. Holds one segment in memory at
 * a time. Skips a record that a crash left incomplete. Throws HookvisorError `journal`.
 */
export async function* readJournal(dir: string, { since = 0 }: ReadOptions = {}): AsyncGenerator<JournaledEvent> {
  for (const segment of await listSegments(dir)) {
    if (segment.written < since) continue;
    for (const event of await eventsOf(segment)) if (event.record.time >= since) yield event;
  }
}

/** Returns the last `limit` matching events, oldest first. Reads segments from the newest on, no more than needed. */
export async function lastEvents(
  dir: string,
  options: ReadOptions & { readonly limit: number; readonly matches: (event: JournaledEvent) => boolean },
): Promise<JournaledEvent[]> {
  const { since = 0, limit, matches } = options;
  let found: JournaledEvent[] = [];
  for (const segment of (await listSegments(dir)).toReversed()) {
    if (found.length >= limit || segment.written < since) break;
    const events = await eventsOf(segment);
    found = [...events.filter((event) => event.record.time >= since && matches(event)), ...found];
  }
  return found.slice(Math.max(0, found.length - limit));
}

async function eventsOf(segment: Segment): Promise<JournaledEvent[]> {
  const decode = createDecoder(segment.path);
  const { bytes } = await loadSegment(segment);
  return splitLines(bytes).lines.flatMap((line) => decode(line) ?? []);
}
