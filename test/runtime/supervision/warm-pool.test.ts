import { expect, it } from 'vitest';
import { createWarmPool, warmInstances } from '../../../src/runtime/supervision/warm-pool.js';
import type { WarmPool } from '../../../src/runtime/supervision/warm-pool.js';

const any = (): boolean => true;

/** Makes instances as long as some are wanted; for whom, in order. */
function fill(pool: WarmPool, tookMs: (handler: number) => number): number[] {
  const made: number[] = [];
  for (let next = pool.next(any); next !== null; next = pool.next(any)) {
    made.push(next);
    pool.prepared(next, { made: true, tookMs: tookMs(next) });
  }
  return made;
}

const count = (made: number[], handler: number): number => made.filter((one) => one === handler).length;

it('the plugin with the fewest instances gets the next one', () => {
  const pool = createWarmPool();
  pool.add(1);
  pool.add(2);
  expect(fill(pool, () => 10)).toEqual([1, 2, 1, 2]);
  pool.used(2);
  expect(pool.next(any)).toBe(2);
});

it('a plugin that instantiates quickly gets more', () => {
  const pool = createWarmPool();
  pool.add(1);
  pool.add(2);
  const made = fill(pool, (handler) => (handler === 1 ? 0.1 : 8));
  expect([count(made, 1), count(made, 2)]).toEqual([warmInstances.cheap, warmInstances.expensive]);
});

it('one that could not be instantiated, or may not be, is left alone until it is used', () => {
  const pool = createWarmPool();
  pool.add(1);
  expect(pool.next(() => false)).toBeNull();
  pool.prepared(1, { made: false, tookMs: 1 });
  expect(pool.next(any)).toBeNull();
  pool.used(1);
  expect(pool.next(any)).toBe(1);
});

it('after an idle period each keeps one, until it is used again', () => {
  const pool = createWarmPool();
  pool.add(1);
  fill(pool, () => 0.1);
  pool.shrink();
  expect(pool.next(any)).toBeNull();
  pool.used(1);
  expect(fill(pool, () => 0.1)).toHaveLength(warmInstances.cheap);
});

it('a new process has none, and one that is removed gets none', () => {
  const pool = createWarmPool();
  pool.add(1);
  pool.add(2);
  fill(pool, () => 5);
  pool.reset();
  pool.remove(2);
  expect(fill(pool, () => 5)).toEqual([1, 1]);
});
