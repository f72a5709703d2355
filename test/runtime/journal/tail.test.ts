import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { followJournal, openTail } from '../../../src/runtime/journal/tail.js';
import { entryOf, openTestJournal } from '../../support/journal.js';
import { temporaryFolder } from '../../support/temp.js';

describe('a tail of the journal', () => {
  it('gives each event once, through rotation and compression, with its document', async () => {
    const dir = temporaryFolder();
    await using tail = await openTail(dir, 'end');
    expect(await tail.read()).toEqual([]);
    const { journal } = await openTestJournal(dir, { segmentBytes: 64 * 1024 });
    const seen: string[] = [];
    for (let at = 0; at < 150; at++) {
      await journal.append(entryOf({ event: { name: `vm${at}` }, document: `<d id='${at}'>${'x'.repeat(1_500)}</d>` }));
      if (at % 9 !== 0 && at !== 149) continue;
      for (const event of await tail.read()) {
        seen.push(event.record.event.name);
        expect(event.document()?.toString()).toContain(`<d id='${seen.length - 1}'>`);
      }
      // Lets the background compress what is full.
      await sleep(5);
    }
    expect(seen).toEqual(Array.from({ length: 150 }, (_, at) => `vm${at}`));
  });

  it('from the start also gives what was compressed before', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir, { segmentBytes: 64 * 1024 });
    for (let at = 0; at < 100; at++)
      await journal.append(entryOf({ document: `<d id='${at}'>${'x'.repeat(1_500)}</d>` }));
    await journal[Symbol.asyncDispose]();
    await using tail = await openTail(dir, 'start');
    expect(await tail.read()).toHaveLength(100);
  });

  it('follows until it is told to stop', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir);
    await journal.append(entryOf({ event: { name: 'before' } }));
    const stop = new AbortController();
    const names: string[] = [];
    const following = (async () => {
      for await (const { record } of followJournal(dir, stop.signal)) {
        names.push(record.event.name);
        if (names.length >= 2) stop.abort();
      }
    })();
    for (let at = 0; !stop.signal.aborted; at++) {
      await journal.append(entryOf({ event: { name: `vm${at}` } }));
      await sleep(20);
    }
    await following;
    // From wherever it began, without a gap.
    const began = Number(names[0]?.slice(2));
    expect(names.slice(0, 2)).toEqual([`vm${began}`, `vm${began + 1}`]);
  });
});
