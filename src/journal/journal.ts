import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from '../dispatch/verdict.js';
import { HookvisorError, messageOf } from '../errors.js';
import type { HookCall } from '../event.js';

/** What is known of a document without keeping it. */
interface DocumentDigest {
  readonly sha256: string;
  readonly bytes: number;
}

/** One line of the journal. */
export interface JournalRecord extends Verdict {
  readonly v: 1;
  /** The event's time, milliseconds since the Unix epoch. */
  readonly time: number;
  readonly uuid: string | null;
  readonly document: DocumentDigest | null;
  readonly replacement: DocumentDigest | null;
}

/** The append-only record of events and verdicts. */
export interface Journal extends Disposable {
  /** Absolute path of the file. */
  readonly file: string;
  /** Writes one record; it has left this process when the call returns. Throws HookvisorError `journal`. */
  append(record: JournalRecord): void;
}

/** What is written of one decided event. */
export function toRecord(call: HookCall, verdict: Verdict, replacement: Buffer | null): JournalRecord {
  const { time, uuid } = call.event;
  return { v: 1, time, uuid, document: digest(call.document), replacement: digest(replacement), ...verdict };
}

/**
 * Opens `journal.jsonl` in `dir` for appending, and makes the folder if it is missing (0700). A line is written with
 * one system call, so that a record is whole or absent for every reader.
 */
export function openJournal(dir: string): Journal {
  const file = join(dir, 'journal.jsonl');
  const fd = attempt('open', file, () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return openSync(file, 'a', 0o600);
  });
  let open = true;
  return {
    file,
    append(record) {
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      attempt('write to', file, () => {
        for (let at = 0; at < line.length;) at += writeSync(fd, line, at);
      });
    },
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      attempt('close', file, () => {
        fsyncSync(fd);
        closeSync(fd);
      });
    },
  };
}

function digest(document: Buffer | null): DocumentDigest | null {
  if (document === null) return null;
  return { sha256: createHash('sha256').update(document).digest('hex'), bytes: document.length };
}

function attempt<T>(action: string, file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new HookvisorError(
      'journal',
      `Cannot ${action} the journal '${file}': ${messageOf(error)}; check the folder's owner and free space, ` +
        `or set journal.dir in the configuration`,
      { cause: error, fields: { file } },
    );
  }
}
