import { hash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { journalLineSchema } from '../../../src/runtime/journal/record.js';
import { lastEvents } from '../../../src/runtime/journal/read.js';
import { verifyJournal } from '../../../src/runtime/journal/verify.js';
import { entryOf, eventsIn, namesIn, openTestJournal } from '../../support/journal.js';
import { temporaryFolder } from '../../support/temp.js';

const first = '00000001.jsonl';
const segmentsIn = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => /jsonl(?:\.gz)?$/u.test(name))
    .sort();

describe('the journal', () => {
  it('gives back an event with everything that it takes to decide it again', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir);
    const document = "<domain id='1'>ä</domain>";
    await journal.append({
      ...entryOf({
        event: { uuid: '6f1c2a34-0000-4000-8000-00000000000a', extra: 'why', driver: 'lxc' },
        document,
        replacement: '<domain/>',
        verdict: {
          verdict: 'replace',
          handlers: [
            {
              ...{ handler: 'naming', backend: 'component', mode: 'enforce', outcome: 'replace', reason: null },
              ...{ failure: null, fuel: 17, durationUs: 85, logs: [{ level: 'info', message: 'hm' }] },
            },
          ],
        },
      }),
      identities: new Map([['naming', { digest: 'a'.repeat(64), settings: 'b'.repeat(64) }]]),
    });
    const [event] = await eventsIn(dir);
    expect(event?.record).toMatchObject({
      time: 1_700_000_000_000,
      uuid: '6f1c2a34-0000-4000-8000-00000000000a',
      event: { name: 'tiny', event: 'prepare', qualifier: 'begin', extra: 'why', driver: 'lxc', kind: 'domain' },
      document: { bytes: Buffer.byteLength(document), redacted: false },
      handlers: [{ handler: 'naming', fuel: 17, digest: 'a'.repeat(64), settings: 'b'.repeat(64) }],
    });
    expect(event?.document()?.toString()).toBe(document);
    expect(event?.replacement()?.toString()).toBe('<domain/>');
  });

  it('writes a document that it foresaw as it would have without, and after an update as the update says', async () => {
    const secret = "<domain><graphics passwd='s3cr3t'/></domain>";
    const [one, two] = [entryOf({ document: secret }), entryOf({ document: secret })];
    const dir = temporaryFolder();
    const { journal, config } = await openTestJournal(dir, { redact: false });
    for (const { call } of [one, two]) if (call.document !== null) journal.foresee(call.document);
    await journal.append(one);
    journal.update({ ...config, redact: true });
    await journal.append(two);
    expect((await eventsIn(dir)).map(({ record }) => record.document?.redacted)).toEqual([false, true]);
  });

  it('stores a document once, however many events have it', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir);
    for (let at = 0; at < 10; at++) await journal.append(entryOf({ document: '<domain>only once</domain>' }));
    const report = await verifyJournal(dir);
    expect(report).toMatchObject({ events: 10, documents: 1, bad: null });
    expect(readFileSync(join(dir, first), 'utf8').split('only once')).toHaveLength(2);
  });

  it('keeps a document that is not UTF-8 byte for byte', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir);
    const document = Buffer.from([0x3c, 0xff, 0xfe, 0x3e, 0x0a]);
    await journal.append(entryOf({ document }));
    expect((await eventsIn(dir))[0]?.document()).toEqual(document);
    expect((await verifyJournal(dir)).bad).toBeNull();
  });

  it('holds no secret of a document, nor a digest that would confirm a guess', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir);
    const document = "<domain><graphics passwd='hunter2'/></domain>";
    await journal.append(entryOf({ document }));
    const [event] = await eventsIn(dir);
    expect(event?.document()?.toString()).toBe("<domain><graphics passwd='***'/></domain>");
    expect(event?.record.document).toMatchObject({ redacted: true, bytes: document.length });
    const written = readFileSync(join(dir, first), 'utf8');
    expect(written).not.toContain('hunter2');
    expect(written).not.toContain(hash('sha256', document));
  });

  it('does not store a document whose secrets it cannot find, and says so', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir);
    await journal.append(entryOf({ document: "<domain passwd='hunter2" }));
    const [event] = await eventsIn(dir);
    expect(event?.record.document).toMatchObject({ sha256: null, redacted: true });
    expect(event?.document()).toBeNull();
    expect(readFileSync(join(dir, first), 'utf8')).not.toContain('hunter2');
  });

  it('keeps documents as they are with redact: false', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir, { redact: false });
    const document = "<domain><graphics passwd='hunter2'/></domain>";
    await journal.append(entryOf({ document }));
    expect((await eventsIn(dir))[0]?.document()?.toString()).toBe(document);
  });

  it('and its files are for their owner only', async () => {
    const dir = join(temporaryFolder(), 'new');
    const { journal } = await openTestJournal(dir);
    await journal.append(entryOf());
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dir)) expect([name, statSync(join(dir, name)).mode & 0o777]).toEqual([name, 0o600]);
  });

  it('takes new settings while it is open', async () => {
    const dir = temporaryFolder();
    const { journal, config } = await openTestJournal(dir);
    journal.update({ ...config, redact: false });
    await journal.append(entryOf({ document: "<a passwd='x'/>" }));
    expect((await eventsIn(dir))[0]?.record.document?.redacted).toBe(false);
  });

  it('that cannot be opened says why and what to do', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'file'), '');
    await expect(openTestJournal(join(dir, 'file'))).rejects.toMatchObject({
      code: 'journal',
      message: expect.stringMatching(
        /^Cannot open the journal '.*file': EEXIST.*; check the owner and free space of its folder, or set journal\.dir in the configuration$/u,
      ) as string,
    });
  });
});

describe('segments', () => {
  const write = async (dir: string, count: number, segmentBytes = 64 * 1024): Promise<void> => {
    const { journal } = await openTestJournal(dir, { segmentBytes });
    for (let at = 0; at < count; at++) {
      await journal.append(
        entryOf({ event: { name: `vm${at}` }, document: `<domain id='${at}'>${'x'.repeat(2_000)}</domain>` }),
      );
    }
    await journal[Symbol.asyncDispose]();
  };

  it('are begun when one is full, compressed, and read and verified as one journal', async () => {
    const dir = temporaryFolder();
    await write(dir, 100);
    expect(segmentsIn(dir)).toEqual([...[1, 2, 3, 4].map((n) => `0000000${n}.jsonl.gz`), '00000005.jsonl']);
    expect(await namesIn(dir)).toEqual(Array.from({ length: 100 }, (_, at) => `vm${at}`));
    expect(await verifyJournal(dir)).toMatchObject({ segments: 5, events: 100, documents: 100, first: 1, bad: null });
    expect((await eventsIn(dir))[3]?.document()?.toString()).toMatch(/^<domain id='3'>x/u);
  });

  it('go on with the same chain after a restart, and know what is stored already', async () => {
    const dir = temporaryFolder();
    await write(dir, 3);
    await write(dir, 3);
    expect(await verifyJournal(dir)).toMatchObject({ segments: 1, events: 6, documents: 3, bad: null });
  });

  it('are deleted from the oldest on when all are too large, and the rest verifies', async () => {
    const dir = temporaryFolder();
    await write(dir, 200);
    const before = segmentsIn(dir).length;
    const { journal } = await openTestJournal(dir, { maxBytes: 25_000 });
    await journal[Symbol.asyncDispose]();
    expect(segmentsIn(dir).length).toBeLessThan(before);
    const report = await verifyJournal(dir);
    expect(report.first).toBeGreaterThan(1);
    expect(report).toMatchObject({ bad: null });
    expect((await namesIn(dir)).at(-1)).toBe('vm199');
  });

  it('are deleted when their newest record is too old', async () => {
    const dir = temporaryFolder();
    await write(dir, 100);
    const old = new Date(Date.now() - 3 * 24 * 3_600_000);
    utimesSync(join(dir, '00000001.jsonl.gz'), old, old);
    const { journal } = await openTestJournal(dir, { maxAgeMs: 2 * 24 * 3_600_000 });
    await journal[Symbol.asyncDispose]();
    expect(segmentsIn(dir)[0]).toBe('00000002.jsonl.gz');
  });

  it('that an interrupted compression left twice, or half, are put right', async () => {
    const dir = temporaryFolder();
    await write(dir, 100);
    writeFileSync(join(dir, first), gunzipSync(readFileSync(join(dir, '00000001.jsonl.gz'))));
    writeFileSync(join(dir, '00000002.jsonl.gz.part'), 'half');
    await write(dir, 1);
    expect(readdirSync(dir).filter((name) => name === first || name.endsWith('.part'))).toEqual([]);
    expect(await verifyJournal(dir)).toMatchObject({ events: 101, bad: null });
  });

  it('are read from the newest on, no more than it takes', async () => {
    const dir = temporaryFolder();
    await write(dir, 100);
    writeFileSync(join(dir, '00000001.jsonl.gz'), 'not read');
    const found = await lastEvents(dir, { limit: 2, matches: ({ record }) => record.event.name !== 'vm99' });
    expect(found.map(({ record }) => record.event.name)).toEqual(['vm97', 'vm98']);
  });

  it('hold lines of the schema and nothing else', async () => {
    const dir = temporaryFolder();
    await write(dir, 3);
    const types = readFileSync(join(dir, first), 'utf8')
      .trim()
      .split('\n')
      .map((line) => journalLineSchema.parse(JSON.parse(line)).type);
    expect(types).toEqual(['segment', 'document', 'event', 'document', 'event', 'document', 'event']);
  });
});
