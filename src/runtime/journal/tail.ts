import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError } from '../../contract/errors.js';
import { openPrivate } from '../files/open-private.js';
import { createDecoder, type JournaledEvent, type SegmentDecoder } from './events.js';
import { cannot } from './journal-error.js';
import { listSegments, loadSegment, type Segment, splitLines } from './segments.js';

/** A reader that follows a journal that is being written. */
export interface JournalTail extends AsyncDisposable {
  /** Returns the events that were added since the last call, oldest first. Throws HookvisorError `journal`. */
  read(): Promise<JournaledEvent[]>;
}

/** Poll interval of a followed journal, milliseconds. */
const pollMs = 200;

/** The segment that is being followed. */
interface Followed {
  readonly number: number;
  readonly path: string;
  /** Remains valid when the segment is compressed or deleted; null for one that was already compressed. */
  readonly file: FileHandle | null;
  readonly decode: SegmentDecoder;
  /** Bytes of the complete lines that were read. */
  offset: number;
}

/** Opens a tail at the current end of the journal, or at its beginning. The folder need not exist yet. */
export async function openTail(dir: string, from: 'start' | 'end'): Promise<JournalTail> {
  let current: Followed | null = null;

  const next = async (): Promise<Segment | null> =>
    (await listSegments(dir)).find(({ number }) => number > (current?.number ?? 0)) ?? null;

  const read = async (): Promise<JournaledEvent[]> => {
    const events: JournaledEvent[] = [];
    for (;;) {
      // Checked first: when another segment exists, nothing more is added to this one.
      const following = await next();
      if (current !== null) events.push(...(await readOn(current)));
      if (following === null) return events;
      await current?.file?.close();
      current = await follow(following);
    }
  };

  if (from === 'end') await read();
  return {
    read,
    async [Symbol.asyncDispose]() {
      await current?.file?.close();
      current = null;
    },
  };
}

/** Yields the events that are added to a journal from now on, until `signal` is aborted. */
export async function* followJournal(dir: string, signal: AbortSignal): AsyncGenerator<JournaledEvent> {
  await using tail = await openTail(dir, 'end');
  while (!signal.aborted) {
    yield* await tail.read();
    // An abort is the normal end.
    await sleep(pollMs, null, { signal }).catch(() => undefined);
  }
}

async function follow({ number, path, compressed }: Segment): Promise<Followed> {
  const followed = { number, path, decode: createDecoder(path), offset: 0 };
  if (compressed) return { ...followed, file: null };
  try {
    return { ...followed, file: await openPrivate(path, constants.O_RDONLY) };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { ...followed, file: null };
    if (error instanceof HookvisorError) throw error;
    throw cannot('read', path, error);
  }
}

async function readOn(followed: Followed): Promise<JournaledEvent[]> {
  const { lines, end } = splitLines(await newBytes(followed));
  followed.offset += end;
  return lines.flatMap((line) => followed.decode(line) ?? []);
}

async function newBytes({ file, path, offset }: Followed): Promise<Buffer> {
  if (file === null) {
    const compressed = path.endsWith('.gz');
    return (await loadSegment({ path, compressed })).bytes.subarray(offset);
  }
  const { size } = await file.stat();
  const bytes = Buffer.alloc(Math.max(0, size - offset));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
  return bytes.subarray(0, bytesRead);
}
