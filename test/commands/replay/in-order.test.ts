import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inOrder } from '../../../src/commands/replay/in-order.js';

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

it('results come in the order of the items, however long each takes', async () => {
  const slowFirst = async (ms: number): Promise<number> => wait(ms, ms);
  expect(await collect(inOrder([20, 10, 5, 1, 0], 3, slowFirst))).toEqual([20, 10, 5, 1, 0]);
});

it('no more than so many are under way', async () => {
  let [now, most] = [0, 0];
  const work = async (): Promise<void> => {
    now += 1;
    most = Math.max(most, now);
    await wait(1);
    now -= 1;
  };
  await collect(inOrder(Array.from({ length: 20 }), 4, work));
  expect(most).toBe(4);
});

it('the first error ends it', async () => {
  const work = (item: number): Promise<number> =>
    item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item);
  await expect(collect(inOrder([1, 2, 3, 2], 2, work))).rejects.toThrow('two');
});
