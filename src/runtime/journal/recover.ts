import { closeSync, constants, writeFileSync } from 'node:fs';
import { unlink, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openPrivateSync } from '../files/open-private.js';
import type { Log } from '../log.js';
import { chainStart, claimedHash, type ChainHead } from './chain.js';
import { documentPrefix } from './record.js';
import { listSegments, loadSegment, segmentPath, splitLines, type Segment } from './segments.js';
import { truncateSegment, type SegmentState } from './segment-writer.js';

/** Where writing continues. */
export interface Recovered {
  readonly head: ChainHead;
  /** Number of the segment to write to. */
  readonly number: number;
  /** Its content; null if it does not exist yet. */
  readonly state: SegmentState | null;
}

/**
 * Finds the end of a journal, also after a crash: an incomplete record is moved to a file next to the segment,
 * `NUMBER.torn`, which is logged. Its event was not answered, unless the whole machine crashed.
 */
export async function recover(dir: string, log: Log): Promise<Recovered> {
  await removeLeftovers(dir);
  const segments = await listSegments(dir);
  const last = segments.at(-1);
  if (last === undefined) return { head: chainStart, number: 1, state: null };
  let state: SegmentState | null = null;
  for (const segment of segments.toReversed()) {
    const { bytes, problem } = await loadSegment(segment);
    if (problem !== null) log('error', `journal segment '${segment.path}': ${problem}; see 'hookvisor journal verify'`);
    const { lines, end } = splitLines(bytes);
    if (segment === last && !segment.compressed) {
      if (end < bytes.length) cutTornEnd(segment, { bytes, end, log });
      state = stateOf(lines, end);
    }
    const head = headOf(lines);
    if (head !== null) return { head, number: state === null ? last.number + 1 : last.number, state };
  }
  return { head: chainStart, number: state === null ? last.number + 1 : last.number, state };
}

/** Cleans up after an interrupted compression: removes a partial copy, or the original of a complete one. */
async function removeLeftovers(dir: string): Promise<void> {
  const names = await readdir(dir);
  const unneeded = names.filter(
    (name) =>
      /^\d{8,}\.jsonl\.gz\.part$/u.test(name) || (/^\d{8,}\.jsonl$/u.test(name) && names.includes(`${name}.gz`)),
  );
  for (const name of unneeded) await unlink(join(dir, name));
}

function cutTornEnd(segment: Segment, torn: { bytes: Buffer; end: number; log: Log }): void {
  const aside = segmentPath('', segment.number).replace(/jsonl$/u, 'torn');
  appendTo(join(segment.path, '..', aside), torn.bytes.subarray(torn.end));
  truncateSegment(segment.path, torn.end);
  torn.log(
    'warn',
    `the journal ended in an incomplete record, as after a crash: ${torn.bytes.length - torn.end} bytes were moved from ` +
      `'${segment.path}' to '${aside}'`,
  );
}

function appendTo(path: string, bytes: Buffer): void {
  const file = openPrivateSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
  try {
    writeFileSync(file, bytes);
  } finally {
    closeSync(file);
  }
}

const timed = z.object({ time: z.number() });
const numbered = z.object({ seq: z.number().int().positive() });

function stateOf(lines: readonly Buffer[], size: number): SegmentState {
  const documents = lines
    .filter((line) => line.toString('latin1', 0, documentPrefix.length) === documentPrefix)
    .map((line) => line.toString('latin1', documentPrefix.length, documentPrefix.length + 64));
  const began = timed.safeParse(parse(lines[0])).data?.time ?? Date.now();
  return { size, began, documents: new Set(documents) };
}

/** Returns the last line with a number and a hash. Lines without them were altered; `verify` reports them. */
function headOf(lines: readonly Buffer[]): ChainHead | null {
  for (const line of lines.toReversed()) {
    const hash = claimedHash(line);
    const seq = numbered.safeParse(parse(line)).data?.seq;
    if (hash !== null && seq !== undefined) return { seq, hash };
  }
  return null;
}

function parse(line: Buffer | undefined): unknown {
  try {
    return line === undefined ? null : JSON.parse(line.toString('utf8'));
  } catch {
    return null;
  }
}
