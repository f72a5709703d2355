import { mkdirSync } from 'node:fs';
import type { JournalConfig } from '../config/config.js';
import { HookvisorError, messageOf } from '../errors.js';
import { checkPrivateFolder } from '../files/open-private.js';
import type { Log } from '../log.js';
import { version } from '../version.js';
import { seal, type ChainHead } from './chain.js';
import { createGroupCommit } from './group-commit.js';
import { type JournalEntry, linesOf } from './entry.js';
import { keepHouse } from './housekeeping.js';
import { cannot } from './journal-error.js';
import { journalKey } from './journal-key.js';
import { type JournalLock, lockJournal } from './lock.js';
import { journalVersion, type LineBody } from './record.js';
import { recover, type Recovered } from './recover.js';
import { openSegment, type SegmentWriter } from './segment-writer.js';
import { type Stored, toStore } from './store-document.js';

/** How long a record may wait to be safe from a crash of the machine, with `sync: interval`, milliseconds. */
const syncIntervalMs = 200;
const housekeepingIntervalMs = 3_600_000;
const dayMs = 24 * 3_600_000;

/** The append-only record of events and verdicts. Disposing it makes everything safe and frees the folder. */
export interface Journal extends AsyncDisposable {
  /** Absolute path of the segment that is written to. */
  readonly file: string;
  /** Does what a record of this document will need: for the time in which its handlers work. Never throws. */
  foresee(document: Buffer): void;
  /**
   * Writes the record of one event. When the promise resolves it is safe from a crash of this process, and with
   * `sync: always` from one of the machine. Records stand in the order of the calls. Rejects with HookvisorError
   * `journal` when it cannot be written; the next one that can follows a record that says how many were lost.
   */
  append(entry: JournalEntry): Promise<void>;
  /** Takes other settings from the next record on; the folder stays. */
  update(config: JournalConfig): void;
}

/** Events that could not be written. */
interface Gap {
  lost: number;
  readonly since: number;
  until: number;
}

/**
 * Opens the journal in `config.dir`, makes the folder if it is missing (0700), and goes on where it ended. Throws
 * HookvisorError `untrusted` when others may write to the folder or have put something in it, `already-running` when another
 * process writes it, else `journal`.
 */
export async function openJournal(config: JournalConfig, log: Log): Promise<Journal> {
  const { dir } = config;
  let lock: JournalLock | null = null;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    checkPrivateFolder(dir);
    lock = await lockJournal(dir);
    return writeJournal({ config, log, lock, key: journalKey(dir), found: await recover(dir, log) });
  } catch (error) {
    lock?.release();
    if (error instanceof HookvisorError) throw error;
    throw cannot('open', dir, error);
  }
}

interface Opened {
  readonly config: JournalConfig;
  readonly log: Log;
  readonly lock: JournalLock;
  readonly key: Buffer;
  readonly found: Recovered;
}

function writeJournal({ config: initial, log, lock, key, found }: Opened): Journal {
  const { dir } = initial;
  let config = initial;
  let head: ChainHead = found.head;
  let segment: SegmentWriter = openSegment(dir, found.number, found.state);
  let gap: Gap | null = null;
  let stored = new WeakMap<Buffer, Stored>();
  const unsafe = new Set<SegmentWriter>();
  const sealed = new Set<SegmentWriter>();
  let housekeeping: Promise<void> = Promise.resolve();
  let closed: Promise<void> | null = null;
  let inPlace = true;

  const commit = createGroupCommit(async () => {
    const all = [...unsafe];
    unsafe.clear();
    try {
      await Promise.all(all.map(async (one) => one.sync()));
    } catch (error) {
      for (const one of all) unsafe.add(one);
      throw cannot('make safe', dir, error);
    }
    for (const one of [...sealed].filter((each) => !unsafe.has(each))) {
      sealed.delete(one);
      await one.close();
      tidy();
    }
  });

  /** Whether the folder is still this process' own. If not, only what is open is written to, and nothing is deleted. */
  const isOurs = (): boolean => {
    const before = inPlace;
    inPlace = lock.isInPlace();
    if (before && !inPlace) {
      const why =
        "its file 'lock' was removed or replaced, so another runtime may write it as well; restart the runtime";
      log('error', `Cannot keep the journal '${dir}' to one writer: ${why}`);
    }
    return inPlace;
  };

  const tidy = (): void => {
    housekeeping = housekeeping
      .then(async () => {
        const { maxBytes, maxAgeMs } = config;
        if (isOurs()) await keepHouse(dir, segment.number, { maxBytes, maxAgeMs });
      })
      .catch((error: unknown) => {
        log('error', messageOf(cannot('tidy up', dir, error)));
      });
  };

  const commitInBackground = (): void => {
    if (unsafe.size === 0) return;
    isOurs();
    commit().catch((error: unknown) => {
      log('error', messageOf(error));
    });
  };

  /** Begins another segment when the one in use is large or old enough. */
  const rotate = (): void => {
    const old = Date.now() - segment.began > Math.min(dayMs, config.maxAgeMs / 2);
    if (segment.size === 0 || (segment.size < config.segmentBytes && !old)) return;
    if (!isOurs()) return;
    const next = openSegment(dir, segment.number + 1, null);
    sealed.add(segment);
    unsafe.add(segment);
    segment = next;
  };

  /** Writes all lines or none, and moves the head of the chain with them. */
  const write = (bodies: readonly LineBody[]): void => {
    let end = head;
    const lines: string[] = [];
    const add = (body: LineBody): void => {
      const { text, head: next } = seal(body, end);
      lines.push(text);
      end = next;
    };
    if (segment.size === 0) add(headerOf(segment.number, head));
    if (gap !== null) add({ type: 'gap', v: journalVersion, ...gap });
    for (const body of bodies) add(body);
    segment.write(Buffer.from(lines.join('')));
    head = end;
    gap = null;
    unsafe.add(segment);
  };

  const store = (document: Buffer): Stored => {
    const known = stored.get(document);
    if (known !== undefined) return known;
    const made = toStore(document, { redact: config.redact, key });
    stored.set(document, made);
    return made;
  };

  const record = (entry: JournalEntry): void => {
    rotate();
    const { documents, event } = linesOf(entry, store);
    const unknown = documents.filter(({ sha256 }) => !segment.documents.has(sha256));
    write([...unknown, event]);
    for (const { sha256 } of unknown) segment.documents.add(sha256);
  };

  const syncTimer = setInterval(commitInBackground, syncIntervalMs).unref();
  const tidyTimer = setInterval(tidy, housekeepingIntervalMs).unref();
  tidy();

  return {
    get file() {
      return segment.path;
    },
    foresee(document) {
      try {
        store(document);
      } catch {
        // `append` meets the same, and reports it.
      }
    },
    async append(entry) {
      try {
        record(entry);
      } catch (error) {
        const { time } = entry.call.event;
        gap = { lost: (gap?.lost ?? 0) + 1, since: gap?.since ?? time, until: time };
        throw cannot('write to', segment.path, error);
      }
      if (config.sync === 'always') await commit();
    },
    update(next) {
      config = next;
      stored = new WeakMap();
    },
    async [Symbol.asyncDispose]() {
      closed ??= (async () => {
        clearInterval(syncTimer);
        clearInterval(tidyTimer);
        try {
          if (gap !== null) write([]);
          await commit();
        } finally {
          await housekeeping;
          await Promise.allSettled([...sealed, segment].map(async (one) => one.close()));
          lock.release();
        }
      })();
      await closed;
    },
  };
}

function headerOf(number: number, head: ChainHead): LineBody {
  const versions = { hookvisor: version, node: process.version };
  return { type: 'segment', v: journalVersion, number, prev: head.hash, time: Date.now(), ...versions };
}
