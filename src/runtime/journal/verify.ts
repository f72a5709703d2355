import { hash } from 'node:crypto';
import { z } from 'zod';
import { chainStart, claimedHash, expectedHash } from './chain.js';
import { type DocumentRef, type JournalLine, journalLineSchema } from './record.js';
import { listSegments, loadSegment, splitLines } from './segments.js';

/** The first record that is not as it was written. */
export interface BadRecord {
  readonly file: string;
  /** Line in the (decompressed) file, from 1. */
  readonly line: number;
  /** What is so, to follow the place in a message. */
  readonly problem: string;
}

/** What a journal's chain says about it. */
export interface JournalReport {
  readonly segments: number;
  readonly events: number;
  readonly documents: number;
  /** Events that were answered and could not be written, as the gaps in the journal say. */
  readonly lost: number;
  /** Number of the oldest and the newest line that were checked; the oldest is above 1 when retention deleted some. */
  readonly first: number;
  readonly last: number;
  /** The last line's hash: whoever kept it can find out later whether the journal was written anew. Null when empty. */
  readonly head: string | null;
  readonly bad: BadRecord | null;
  /** What a crash left behind the last record of a file: normal, and cut off when the runtime starts. */
  readonly torn: readonly { readonly file: string; readonly bytes: number }[];
  /** Whether the journal has a line of the hash that was asked for; null when none was. */
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
  /** Digests of the documents in the segment at hand. */
  stored: Set<string>;
}

/** Checks every line of a journal against the hash of the one before. Stops at the first that is bad. */
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

/** What is wrong with a line, or null; then it is the new end of the chain. */
function check(line: Buffer, state: State, place: { opens: boolean; number: number }): string | null {
  const record = parse(line);
  if (typeof record === 'string') return record;
  if (place.opens !== (record.type === 'segment')) {
    return place.opens ? 'the record that opens a segment is missing' : 'a segment is opened within another';
  }
  const before = beforeOf(record, state, place.number);
  if ('problem' in before) return before.problem;
  const { hash: claimed } = record;
  if (claimed !== expectedHash(line, before.hash)) {
    return 'it was altered, or a record before it is missing: its hash is another';
  }
  if (record.seq !== before.seq + 1) return `it has number ${record.seq}, ${before.seq + 1} follows`;
  const content = checkContent(record, state);
  if (content !== null) return content;
  if (state.first === 0) state.first = record.seq;
  state.seq = record.seq;
  state.hash = claimed;
  return null;
}

/** The end of the chain before a record. The oldest segment's own word counts for what retention deleted. */
function beforeOf(
  record: JournalLine,
  { seq, hash: head }: State,
  number: number,
): { readonly seq: number; readonly hash: string } | { readonly problem: string } {
  if (record.type !== 'segment') return { seq, hash: head ?? chainStart.hash };
  if (record.number !== number) return { problem: `it opens segment ${record.number}, the file's name says ${number}` };
  if (head === null) return { seq: record.seq - 1, hash: record.prev };
  if (record.prev !== head) {
    return { problem: 'it does not follow the record before it: records or a whole segment are missing' };
  }
  return { seq, hash: head };
}

function checkContent(record: JournalLine, state: State): string | null {
  if (record.type === 'document') {
    const content = record.text === undefined ? Buffer.from(record.base64 ?? '', 'base64') : Buffer.from(record.text);
    if (hash('sha256', content) !== record.sha256) return 'the document is not the one that its digest names';
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

/** The record, or what is wrong with the line. */
function parse(line: Buffer): JournalLine | string {
  if (claimedHash(line) === null) return 'it is no record: it does not end with a hash';
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return 'it is no record: it is not JSON';
  }
  const record = journalLineSchema.safeParse(value);
  if (record.success) return record.data;
  const version = anyRecord.safeParse(value).data?.v;
  return version === undefined || version === 1
    ? `it is no record: ${record.error.issues[0]?.path.join('.') ?? ''}: ${record.error.issues[0]?.message ?? ''}`
    : `it is of version ${version}, which this release does not read; verify it with the release that wrote it`;
}
