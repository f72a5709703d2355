import { hash } from 'node:crypto';
import { z } from 'zod';
import { chainStart, claimedHash, expectedHash } from './chain.js';
import { type DocumentRef, type JournalLine, journalLineSchema } from './record.js';
import { listSegments, loadSegment, splitLines } from './segments.js';

/** The first bad record. */
export interface BadRecord {
  readonly file: string;
  /** Line in the (decompressed) file, from 1. */
  readonly line: number;
  /** The problem, as a part of a message. */
  readonly problem: string;
}

/** The result of verifying the chain of a journal. */
export interface JournalReport {
  readonly segments: number;
  readonly events: number;
  readonly documents: number;
  /** Events that were answered but could not be recorded, according to the gaps in the journal. */
  readonly lost: number;
  /** Numbers of the oldest and the newest line checked; the oldest is above 1 if retention has deleted some. */
  readonly first: number;
  readonly last: number;
  /** Hash of the last line. A copy of it shows later whether the journal was rewritten. Null if the journal is empty. */
  readonly head: string | null;
  readonly bad: BadRecord | null;
  /** Incomplete records at the end of files, as after a crash. Normal; the runtime moves them away when it starts. */
  readonly torn: readonly { readonly file: string; readonly bytes: number }[];
  /** Whether the journal contains a line with the requested hash; null if none was requested. */
  readonly contains: boolean | null;
}

interface State {
  events: number;
  documents: number;
  lost: number;
  first: number;
  seq: number;
  hash: string | null;
  contains: boolean | null;
  /** Digests of the documents in the current segment. */
  stored: Set<string>;
}

/** Verifies every line of a journal against the hash of the previous one. Stops at the first bad line. */
export async function verifyJournal(dir: string, options: { readonly contains?: string } = {}): Promise<JournalReport> {
  const segments = await listSegments(dir);
  const state: State = {
    ...{ events: 0, documents: 0, lost: 0, first: 0, seq: 0, hash: null, stored: new Set() },
    contains: options.contains === undefined ? null : false,
  };
  const torn: { file: string; bytes: number }[] = [];
  let bad: BadRecord | null = null;
  for (const segment of segments) {
    const { path: file } = segment;
    const { bytes, problem } = await loadSegment(segment);
    const { lines, end } = splitLines(bytes);
    state.stored = new Set();
    for (const [at, line] of lines.entries()) {
      const wrong = check(line, state, { opens: at === 0, number: segment.number });
      if (wrong !== null) bad = { file, line: at + 1, problem: wrong };
      if (bad !== null) break;
      if (state.hash === options.contains) state.contains = true;
    }
    if (bad === null && problem !== null) bad = { file, line: lines.length + 1, problem };
    if (bad !== null) break;
    if (end < bytes.length) torn.push({ file, bytes: bytes.length - end });
  }
  const { events, documents, lost, first, seq: last, hash: head, contains } = state;
  return { segments: segments.length, events, documents, lost, first, last, head, bad, torn, contains };
}

/** Returns the problem of a line, or null and makes it the new end of the chain. */
function check(line: Buffer, state: State, place: { opens: boolean; number: number }): string | null {
  const record = parse(line);
  if (typeof record === 'string') return record;
  if (place.opens !== (record.type === 'segment')) {
    return place.opens ? 'the record that opens a segment is missing' : 'it opens a segment inside another';
  }
  const before = beforeOf(record, state, place.number);
  if ('problem' in before) return before.problem;
  const { hash: claimed } = record;
  if (claimed !== expectedHash(line, before.hash)) {
    return 'its hash does not match: it was altered, or a record before it is missing';
  }
  if (record.seq !== before.seq + 1) return `its number is ${record.seq} instead of ${before.seq + 1}`;
  const content = checkContent(record, state);
  if (content !== null) return content;
  if (state.first === 0) state.first = record.seq;
  state.seq = record.seq;
  state.hash = claimed;
  return null;
}

/** Returns the end of the chain before a record. Retention deletes segments, so the oldest one is taken at its word. */
function beforeOf(
  record: JournalLine,
  { seq, hash: head }: State,
  number: number,
): { readonly seq: number; readonly hash: string } | { readonly problem: string } {
  if (record.type !== 'segment') return { seq, hash: head ?? chainStart.hash };
  if (record.number !== number)
    return { problem: `it opens segment ${record.number}, but the file name says ${number}` };
  if (head === null) return { seq: record.seq - 1, hash: record.prev };
  if (record.prev !== head) {
    return { problem: 'it does not continue the chain: records or a whole segment before it are missing' };
  }
  return { seq, hash: head };
}

function checkContent(record: JournalLine, state: State): string | null {
  if (record.type === 'document') {
    const content = record.text === undefined ? Buffer.from(record.base64 ?? '', 'base64') : Buffer.from(record.text);
    if (hash('sha256', content) !== record.sha256) return 'the document does not match its digest';
    state.documents += 1;
    state.stored.add(record.sha256);
  }
  if (record.type === 'event') {
    const missing = (ref: DocumentRef | null): boolean =>
      typeof ref?.sha256 === 'string' && !state.stored.has(ref.sha256);
    if (missing(record.document) || missing(record.replacement)) return 'its document is missing';
    state.events += 1;
  }
  if (record.type === 'gap') state.lost += record.lost;
  return null;
}

const anyRecord = z.looseObject({ type: z.string(), v: z.number() });

/** Returns the record, or the problem of the line. */
function parse(line: Buffer): JournalLine | string {
  if (claimedHash(line) === null) return 'it is not a record: it does not end with a hash';
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return 'it is not a record: it is not JSON';
  }
  const record = journalLineSchema.safeParse(value);
  if (record.success) return record.data;
  const version = anyRecord.safeParse(value).data?.v;
  return version === undefined || version === 1
    ? `it is not a record: ${record.error.issues[0]?.path.join('.') ?? ''}: ${record.error.issues[0]?.message ?? ''}`
    : `it has version ${version}, which this release does not support; verify it with the release that wrote it`;
}
