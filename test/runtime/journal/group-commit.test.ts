import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createGroupCommit } from '../../../src/runtime/journal/group-commit.js';

it('one run serves all who asked before it began, and none who asked later', async () => {
  let runs = 0;
  let active = 0;
  const commit = createGroupCommit(async () => {
    expect((active += 1)).toBe(1);
    await sleep(10);
    runs += 1;
    active -= 1;
  });
  const first = commit();
  await sleep(2);
  const later = Promise.all([commit(), commit(), commit()]);
  await first;
  expect(runs).toBe(1);
  await later;
  expect(runs).toBe(2);
});

it('a run that fails fails those who waited for it, and the next one goes on', async () => {
  let fail = true;
  const commit = createGroupCommit(async () => {
    await sleep(1);
    if (fail) throw new Error('no');
  });
  await expect(Promise.all([commit(), commit()])).rejects.toThrow('no');
  fail = false;
  await commit();
});
