import { mkdirSync } from 'node:fs';
import type { JournalConfig } from '../config/config.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { groupId } from '../files/accounts.js';
import { checkPrivateFolder } from '../files/open-private.js';
import type { Log } from '../log.js';
import type { JournalEntry } from './entry.js';
import { keepHouse } from './housekeeping.js';
import { cannot } from './journal-error.js';
import { journalKey } from './journal-key.js';
import { type JournalLock, lockJournal } from './lock.js';
import { OpenSegments } from './open-segments.js';
import { RecordWriter } from './record-writer.js';
import { recover, type Recovered } from './recover.js';
import { shareFolder } from './share-folder.js';

/** Maximum delay until a record is synced to disk with `sync: interval`, milliseconds. */
const syncIntervalMs = 200;
const housekeepingIntervalMs = 3_600_000;
const dayMs = 24 * 3_600_000;

/** The append-only record of events and verdicts. Disposal syncs everything to disk and unlocks the folder. */
export interface Journal extends AsyncDisposable {
  /** Absolute path of the active segment. */
  readonly file: string;
  /** Prepares the record of this document while its handlers run. Never throws. */
  foresee(document: Buffer): void;
  /**
   * Writes the record of one event. Once the promise resolves, the record survives a crash of this process, and with
   * `sync: always` of the machine. Records are in the order of the calls. Rejects with HookvisorError `journal` if the
   * record cannot be written; the next successful write first records how many were lost.
   */
  append(entry: JournalEntry): Promise<void>;
  /** Applies other settings from the next record on; the folder cannot change. */
  update(config: JournalConfig): void;
}

/**
 * Opens the journal in `config.dir` and continues it; creates the folder if it is missing (0700). Throws HookvisorError
 * `untrusted` if other users can write to the folder or have put files into it, `already-running` if another process
 * writes the journal, otherwise `journal`.
 */
export async function openJournal(config: JournalConfig, log: Log): Promise<Journal> {
  const { dir } = config;
  let lock: JournalLock | null = null;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    checkPrivateFolder(dir);
    lock = await lockJournal(dir);
    if (config.readers !== null) letRead(dir, config.readers, log);
    return new LockedJournal({ config, log, lock, key: journalKey(dir), found: await recover(dir, log) });
  } catch (error) {
    lock?.release();
    if (error instanceof HookvisorError) throw error;
    throw cannot('open', dir, error);
  }
}

/** A group that cannot read is no reason to lose records. */
function letRead(dir: string, group: string, log: Log): void {
  try {
    shareFolder(dir, groupId(group));
  } catch (error) {
    log('error', `The group '${group}' cannot read the journal '${dir}': ${messageOf(error)}`);
  }
}

interface Opened {
  readonly config: JournalConfig;
  readonly log: Log;
  readonly lock: JournalLock;
  readonly key: Buffer;
  readonly found: Recovered;
}

class LockedJournal implements Journal {
  readonly #dir: string;
  readonly #log: Log;
  readonly #lock: JournalLock;
  readonly #segments: OpenSegments;
  readonly #records: RecordWriter;
  readonly #timers: readonly NodeJS.Timeout[];
  #config: JournalConfig;
  /** Whether this process still held the lock on the folder at the last check. */
  #inPlace = true;
  #housekeeping: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor({ config, log, lock, key, found }: Opened) {
    this.#dir = config.dir;
    this.#log = log;
    this.#lock = lock;
    this.#config = config;
    this.#segments = new OpenSegments(config.dir, found, () => {
      this.#tidy();
    });
    this.#records = new RecordWriter(this.#segments, found.head, { redact: config.redact, key });
    const every = (ms: number, work: () => void): NodeJS.Timeout => setInterval(work, ms).unref();
    this.#timers = [
      every(syncIntervalMs, () => {
        this.#commitInBackground();
      }),
      every(housekeepingIntervalMs, () => {
        this.#tidy();
      }),
    ];
    this.#tidy();
  }

  get file(): string {
    return this.#segments.active.path;
  }

  foresee(document: Buffer): void {
    try {
      this.#records.prepare(document);
    } catch {
      // `append` runs into the same error, and reports it.
    }
  }

  async append(entry: JournalEntry): Promise<void> {
    try {
      this.#rotateIfDue();
      this.#records.write(entry);
    } catch (error) {
      this.#records.lose(entry.call.event.time);
      throw cannot('write to', this.file, error);
    }
    if (this.#config.sync === 'always') await this.#segments.commit();
  }

  update(config: JournalConfig): void {
    this.#config = config;
    this.#records.update({ redact: config.redact });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    try {
      this.#records.writeGap();
      await this.#segments.commit();
    } finally {
      await this.#housekeeping;
      await this.#segments.close();
      this.#lock.release();
    }
  }

  /** Starts another segment if the active one is large or old enough. */
  #rotateIfDue(): void {
    const { segmentBytes, maxAgeMs } = this.#config;
    const { size, began } = this.#segments.active;
    const old = Date.now() - began > Math.min(dayMs, maxAgeMs / 2);
    if (size === 0 || (size < segmentBytes && !old)) return;
    if (this.#isOurs()) this.#segments.rotate();
  }

  #tidy(): void {
    this.#housekeeping = this.#housekeeping
      .then(async () => {
        const { maxBytes, maxAgeMs } = this.#config;
        if (this.#isOurs()) await keepHouse(this.#dir, this.#segments.active.number, { maxBytes, maxAgeMs });
      })
      .catch((error: unknown) => {
        this.#log('error', messageOf(cannot('tidy up', this.#dir, error)));
      });
  }

  #commitInBackground(): void {
    if (this.#segments.isSafe) return;
    this.#isOurs();
    this.#segments.commit().catch((error: unknown) => {
      this.#log('error', messageOf(error));
    });
  }

  /** Tells whether this process still holds the lock. If not, it only writes to open segments and deletes nothing. */
  #isOurs(): boolean {
    const before = this.#inPlace;
    this.#inPlace = this.#lock.isInPlace();
    if (before && !this.#inPlace) {
      const why =
        "its file 'lock' was removed or replaced, so another runtime may write it as well; restart the runtime";
      this.#log('error', `Cannot lock the journal '${this.#dir}' any longer: ${why}`);
    }
    return this.#inPlace;
  }
}
