import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { verifyJournal } from '../../../src/runtime/journal/verify.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { entryOf, eventsIn, namesIn, openTestJournal } from '../../support/journal.js';
import { temporaryFolder } from '../../support/temp.js';

const segment = '00000001.jsonl';

/** A journal of the events `a`, `b` and `c`, closed; where the lines of `c` begin; and its bytes. */
async function threeEvents(dir: string): Promise<{ bytes: Buffer; before: number }> {
  const { journal } = await openTestJournal(dir);
  await journal.append(entryOf({ event: { name: 'a' }, document: '<a/>' }));
  await journal.append(entryOf({ event: { name: 'b' }, document: '<b/>' }));
  const before = readFileSync(join(dir, segment)).length;
  await journal.append(entryOf({ event: { name: 'c' }, document: '<c>ä</c>' }));
  await journal[Symbol.asyncDispose]();
  return { bytes: readFileSync(join(dir, segment)), before };
}

describe('a crash', () => {
  it('at any byte of the last record leaves all records before it, and writing goes on in one chain', async () => {
    const dir = temporaryFolder();
    const { bytes, before } = await threeEvents(join(dir, 'whole'));
    expect(bytes.length - before).toBeGreaterThan(500);
    for (let end = before; end <= bytes.length; end++) {
      const crashed = join(dir, String(end));
      mkdirSync(crashed);
      copyFileSync(join(dir, 'whole', 'key'), join(crashed, 'key'));
      writeFileSync(join(crashed, segment), bytes.subarray(0, end));
      const torn = end - (bytes.subarray(0, end).lastIndexOf(10) + 1);
      const survivors = end === bytes.length ? ['a', 'b', 'c'] : ['a', 'b'];

      expect(await namesIn(crashed)).toEqual(survivors);
      const report = await verifyJournal(crashed);
      expect(report.bad).toBeNull();
      expect(report.torn.map((one) => one.bytes)).toEqual(torn > 0 ? [torn] : []);

      // Every offset is read; every seventh is written on, which takes longer.
      if ((bytes.length - end) % 7 !== 0) continue;
      const { journal, said } = await openTestJournal(crashed);
      expect(statSync(join(crashed, segment)).size).toBe(end - torn);
      await journal.append(entryOf({ event: { name: 'd' }, document: '<c>ä</c>' }));
      await journal[Symbol.asyncDispose]();
      const after = await eventsIn(crashed);
      expect(after.map(({ record }) => record.event.name)).toEqual([...survivors, 'd']);
      expect(after.at(-1)?.document()?.toString()).toBe('<c>ä</c>');
      expect(await verifyJournal(crashed)).toMatchObject({ bad: null, torn: [] });
      expect(said.join()).toContain(torn > 0 ? `${torn} bytes were moved from` : '');
      if (torn > 0) expect(readFileSync(join(crashed, '00000001.torn'))).toHaveLength(torn);
    }
  });

  it('at any byte of the first record leaves a journal that can be written', async () => {
    const dir = temporaryFolder();
    const { bytes } = await threeEvents(join(dir, 'whole'));
    for (const end of [0, 1, 10, bytes.indexOf(10), bytes.indexOf(10) + 1]) {
      const crashed = join(dir, String(end));
      mkdirSync(crashed);
      writeFileSync(join(crashed, segment), bytes.subarray(0, end));
      const { journal } = await openTestJournal(crashed);
      await journal.append(entryOf({ event: { name: 'd' } }));
      expect(await verifyJournal(crashed)).toMatchObject({ bad: null, torn: [], events: 1 });
    }
  });

  it.each(['interval', 'always'])('by SIGKILL under load loses no answered event, with sync: %s', async (sync) => {
    const dir = join(temporaryFolder(), 'journal');
    const answered: string[] = [];
    // Two rounds: the second goes on where the first was killed.
    for (let round = 1; round <= 2; round++) {
      const child = spawn(
        process.execPath,
        [join(packageRoot, 'test', 'fixtures', 'journal', 'writer.mjs'), dir, sync],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const closed = once(child, 'close');
      for await (const line of createInterface({ input: child.stdout })) {
        if (line.length === 36) answered.push(line);
        if (answered.length >= 300 * round) child.kill('SIGKILL');
      }
      expect((await closed)[1]).toBe('SIGKILL');
      const recorded = new Set((await eventsIn(dir)).map(({ record }) => record.event.id));
      expect(answered.filter((id) => !recorded.has(id))).toEqual([]);
    }
    expect(await verifyJournal(dir)).toMatchObject({ bad: null, first: 1, lost: 0 });
    const { journal } = await openTestJournal(dir, { segmentBytes: 64 * 1024 });
    await journal.append(entryOf());
    await journal[Symbol.asyncDispose]();
    expect(readdirSync(dir).filter((name) => name.startsWith('lock'))).toEqual(['lock']);
    const { events } = await verifyJournal(dir);
    expect(events).toBeGreaterThan(answered.length);
  });
});
