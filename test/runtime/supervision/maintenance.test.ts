import { expect, it } from 'vitest';
import type { RunnerUsage } from '../../../src/contract/messages.js';
import { createMaintenance } from '../../../src/runtime/supervision/maintenance.js';
import type { Maintenance } from '../../../src/runtime/supervision/maintenance.js';

const mib = 1024 * 1024;

interface Kept {
  readonly maintenance: Maintenance;
  readonly reasons: string[];
  /** What was used from now on, as the process reports it. */
  usage: RunnerUsage;
}

function kept(): Kept {
  const reasons: string[] = [];
  const limits = { cpuMs: 1_000, growthBytes: 100 * mib };
  const maintenance = createMaintenance({ limits, isEligible: () => true, onRecycle: (why) => reasons.push(why) });
  return { maintenance, reasons, usage: { cpuMs: 10, rssBytes: 60 * mib } };
}

/** Does all tasks; their names in order. */
function work({ maintenance, usage }: Kept): string[] {
  const done: string[] = [];
  for (let task = maintenance.next(); task !== null; task = maintenance.next()) {
    const { kind } = task.request;
    done.push(kind);
    if (kind === 'usage') task.done({ kind: 'usage', usage });
    else if (kind === 'prepare') task.done({ kind: 'prepared', made: true, tookMs: 5 });
    else task.done({ kind: 'done' });
  }
  return done;
}

it('a new process tells its usage, then gets instances', () => {
  const one = kept();
  one.maintenance.add(1);
  expect(work(one)).toEqual(['usage', 'prepare', 'prepare']);
  one.maintenance.renewed();
  expect(work(one)).toEqual(['usage', 'prepare', 'prepare']);
});

it('an idle process gives instances back and gets none until the next event', () => {
  const one = kept();
  one.maintenance.add(1);
  work(one);
  one.maintenance.idle();
  expect(one.maintenance.overdue).toBe(true);
  expect(work(one)).toEqual(['shrink', 'usage']);
  one.maintenance.evaluated(1);
  expect(work(one)).toEqual(['prepare', 'prepare']);
});

it('usage is asked for between two events when no moment is quiet', () => {
  const one = kept();
  work(one);
  for (let i = 0; i < 2_000; i += 1) one.maintenance.evaluated(1);
  expect(one.maintenance.overdue).toBe(true);
  expect(work(one)).toEqual(['usage']);
  expect(one.maintenance.overdue).toBe(false);
});

it('a process that has used too much CPU time is replaced', () => {
  const one = kept();
  work(one);
  one.usage = { ...one.usage, cpuMs: 1_001 };
  one.maintenance.idle();
  work(one);
  expect(one.reasons).toEqual(['it has used 1 s of CPU time']);
});

it('a process whose memory grew is replaced only if collecting garbage did not help', () => {
  const one = kept();
  work(one);
  one.usage = { ...one.usage, rssBytes: 170 * mib };
  for (let i = 0; i < 200; i += 1) one.maintenance.evaluated(1);
  expect(work(one)).toEqual(['usage', 'shrink', 'usage']);
  expect(one.reasons).toEqual(['its memory has grown by 110 MiB']);
});
