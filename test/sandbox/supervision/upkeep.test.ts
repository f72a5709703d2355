import { expect, it } from 'vitest';
import type { RunnerUsage } from '../../../src/sandbox/protocol/messages.js';
import { createUpkeep } from '../../../src/sandbox/supervision/upkeep.js';
import type { Upkeep } from '../../../src/sandbox/supervision/upkeep.js';

const mib = 1024 * 1024;

interface Kept {
  readonly upkeep: Upkeep;
  readonly worn: string[];
  /** What was used from now on, as the process reports it. */
  usage: RunnerUsage;
}

function kept(): Kept {
  const worn: string[] = [];
  const wear = { cpuMs: 1_000, growthBytes: 100 * mib };
  const upkeep = createUpkeep({ wear, mayPrepare: () => true, onWorn: (why) => worn.push(why) });
  return { upkeep, worn, usage: { cpuMs: 10, rssBytes: 60 * mib } };
}

/** Does all chores; their names in order. */
function work({ upkeep, usage }: Kept): string[] {
  const done: string[] = [];
  for (let chore = upkeep.next(); chore !== null; chore = upkeep.next()) {
    const { request } = chore.request;
    done.push(request);
    if (request === 'usage') chore.done({ reply: 'usage', usage });
    else if (request === 'prepare') chore.done({ reply: 'prepared', made: true, tookMs: 5 });
    else chore.done({ reply: 'done' });
  }
  return done;
}

it('a new process tells its usage, then gets instances', () => {
  const one = kept();
  one.upkeep.add(1);
  expect(work(one)).toEqual(['usage', 'prepare', 'prepare']);
  one.upkeep.renewed();
  expect(work(one)).toEqual(['usage', 'prepare', 'prepare']);
});

it('an idle process gives instances back and gets none until the next event', () => {
  const one = kept();
  one.upkeep.add(1);
  work(one);
  one.upkeep.idle();
  expect(one.upkeep.overdue).toBe(true);
  expect(work(one)).toEqual(['shrink', 'usage']);
  one.upkeep.evaluated(1);
  expect(work(one)).toEqual(['prepare', 'prepare']);
});

it('usage is asked for between two events when no moment is quiet', () => {
  const one = kept();
  work(one);
  for (let i = 0; i < 2_000; i += 1) one.upkeep.evaluated(1);
  expect(one.upkeep.overdue).toBe(true);
  expect(work(one)).toEqual(['usage']);
  expect(one.upkeep.overdue).toBe(false);
});

it('a process that has used too much CPU time is worn', () => {
  const one = kept();
  work(one);
  one.usage = { ...one.usage, cpuMs: 1_001 };
  one.upkeep.idle();
  work(one);
  expect(one.worn).toEqual(['it has used 1 s of CPU time']);
});

it('a process whose memory grew is worn only if collecting garbage did not help', () => {
  const one = kept();
  work(one);
  one.usage = { ...one.usage, rssBytes: 170 * mib };
  for (let i = 0; i < 200; i += 1) one.upkeep.evaluated(1);
  expect(work(one)).toEqual(['usage', 'shrink', 'usage']);
  expect(one.worn).toEqual(['its memory has grown by 110 MiB']);
});
