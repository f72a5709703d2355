import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { verifyJournal } from '../../../src/runtime/journal/verify.js';
import { entryOf, openTestJournal } from '../../support/journal.js';
import { temporaryFolder } from '../../support/temp.js';

const segment = '00000001.jsonl';

/** A journal of `count` events with documents, in segments of 64 KiB, closed. */
async function journalOf(count: number, dir = temporaryFolder()): Promise<string> {
  const { journal } = await openTestJournal(dir, { segmentBytes: 64 * 1024 });
  for (let at = 0; at < count; at++) {
    const filling = count > 10 ? 'x'.repeat(2_000) : '';
    await journal.append(entryOf({ event: { name: `vm${at}` }, document: `<d id='${at}'>${filling}</d>` }));
  }
  await journal[Symbol.asyncDispose]();
  return dir;
}

describe('verifying a journal', () => {
  it('finds any altered byte', async () => {
    const dir = await journalOf(2);
    const bytes = readFileSync(join(dir, segment));
    const head = (await verifyJournal(dir)).head;
    const ends = [...bytes.entries()].filter(([, byte]) => byte === 10).map(([at]) => at);
    for (let at = 0; at < bytes.length - 1; at++) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      writeFileSync(join(dir, segment), altered);
      const { bad } = await verifyJournal(dir);
      expect([at, bad?.line]).toEqual([at, ends.findIndex((end) => at <= end) + 1]);
    }
    writeFileSync(join(dir, segment), bytes);
    expect(await verifyJournal(dir)).toMatchObject({ bad: null, head });
  });

  it.each([
    ['is missing', (lines: string[]) => lines.toSpliced(2, 1), 3, 'its hash does not match'],
    ['is there twice', (lines: string[]) => lines.toSpliced(2, 0, lines[2] ?? ''), 4, 'its hash does not match'],
    [
      'changed places',
      (lines: string[]) => [lines[0], lines[2], lines[1], ...lines.slice(3)],
      2,
      'its hash does not match',
    ],
    ['is no JSON', (lines: string[]) => lines.with(2, 'x'), 3, 'it does not end with a hash'],
    [
      'is of another version',
      (lines: string[]) => lines.with(2, (lines[2] ?? '').replace('"v":1', '"v":2')),
      3,
      'it has version 2',
    ],
    [
      'opens the segment and is missing',
      (lines: string[]) => lines.slice(1),
      1,
      'the record that opens a segment is missing',
    ],
  ])('names a record that %s', async (_, alter, line, problem) => {
    const dir = await journalOf(3);
    const lines = readFileSync(join(dir, segment), 'utf8').trim().split('\n');
    writeFileSync(join(dir, segment), `${alter(lines).join('\n')}\n`);
    expect((await verifyJournal(dir)).bad).toMatchObject({
      file: join(dir, segment),
      line,
      problem: expect.stringContaining(problem) as string,
    });
  });

  it('names the record in a compressed segment that was altered', async () => {
    const dir = await journalOf(100);
    const file = join(dir, '00000002.jsonl.gz');
    const text = gunzipSync(readFileSync(file)).toString();
    const at = text.split('\n').findIndex((line) => line.includes('"name":"vm40"'));
    writeFileSync(file, gzipSync(text.replace('"name":"vm40"', '"name":"vm41"')));
    expect((await verifyJournal(dir)).bad).toMatchObject({ file, line: at + 1 });
  });

  it('names a compressed segment that was damaged', async () => {
    const dir = await journalOf(100);
    const file = join(dir, '00000002.jsonl.gz');
    const bytes = readFileSync(file);
    for (const at of [0, 400, bytes.length - 6]) {
      writeFileSync(file, Buffer.from(bytes).fill(0x55, at, at + 4));
      expect((await verifyJournal(dir)).bad?.file).toBe(file);
    }
    writeFileSync(file, bytes.subarray(0, 500));
    expect((await verifyJournal(dir)).bad?.file).toBe(file);
  });

  it('finds a segment that is missing in the middle, and one that was renamed', async () => {
    const dir = await journalOf(100);
    const third = readFileSync(join(dir, '00000003.jsonl.gz'));
    rmSync(join(dir, '00000002.jsonl.gz'));
    expect((await verifyJournal(dir)).bad).toMatchObject({
      line: 1,
      problem: 'it does not continue the chain: records or a whole segment before it are missing',
    });
    writeFileSync(join(dir, '00000002.jsonl.gz'), third);
    expect((await verifyJournal(dir)).bad?.problem).toBe('it opens segment 3, but the file name says 2');
  });

  it('tells whether a record of a hash that was kept is still there', async () => {
    const dir = await journalOf(2);
    const { head } = await verifyJournal(dir);
    await journalOf(2, dir);
    expect(await verifyJournal(dir, { contains: head ?? '' })).toMatchObject({ bad: null, contains: true });
    expect((await verifyJournal(dir, { contains: '0'.repeat(64) })).contains).toBe(false);
  });

  it('goes on after a record that was altered before a restart, and still names it', async () => {
    const dir = await journalOf(2);
    const text = readFileSync(join(dir, segment), 'utf8');
    writeFileSync(join(dir, segment), text.replace('"name":"vm1"', '"name":"vmX"'));
    await journalOf(1, dir);
    expect((await verifyJournal(dir)).bad).toMatchObject({ line: 5 });
  });

  it('of an empty folder finds nothing bad', async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, 'x'));
    expect(await verifyJournal(dir)).toMatchObject({ segments: 0, events: 0, head: null, bad: null });
  });
});
