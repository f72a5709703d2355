import { expect, it } from 'vitest';
import { createSpares, sparesFor } from '../../../src/sandbox/supervision/spares.js';
import type { Spares } from '../../../src/sandbox/supervision/spares.js';

const any = (): boolean => true;

/** Makes instances as long as some are wanted; for whom, in order. */
function fill(spares: Spares, tookMs: (handler: number) => number): number[] {
  const made: number[] = [];
  for (let next = spares.next(any); next !== null; next = spares.next(any)) {
    made.push(next);
    spares.prepared(next, { made: true, tookMs: tookMs(next) });
  }
  return made;
}

const count = (made: number[], handler: number): number => made.filter((one) => one === handler).length;

it('the plugin with the fewest instances gets the next one', () => {
  const spares = createSpares();
  spares.add(1);
  spares.add(2);
  expect(fill(spares, () => 10)).toEqual([1, 2, 1, 2]);
  spares.used(2);
  expect(spares.next(any)).toBe(2);
});

it('a plugin that instantiates quickly gets more', () => {
  const spares = createSpares();
  spares.add(1);
  spares.add(2);
  const made = fill(spares, (handler) => (handler === 1 ? 0.1 : 8));
  expect([count(made, 1), count(made, 2)]).toEqual([sparesFor.cheap, sparesFor.expensive]);
});

it('one that could not be instantiated, or may not be, is left alone until it is used', () => {
  const spares = createSpares();
  spares.add(1);
  expect(spares.next(() => false)).toBeNull();
  spares.prepared(1, { made: false, tookMs: 1 });
  expect(spares.next(any)).toBeNull();
  spares.used(1);
  expect(spares.next(any)).toBe(1);
});

it('after a rest each keeps one, until it is used again', () => {
  const spares = createSpares();
  spares.add(1);
  fill(spares, () => 0.1);
  spares.rest();
  expect(spares.next(any)).toBeNull();
  spares.used(1);
  expect(fill(spares, () => 0.1)).toHaveLength(sparesFor.cheap);
});

it('a new process has none, and one that is removed gets none', () => {
  const spares = createSpares();
  spares.add(1);
  spares.add(2);
  fill(spares, () => 5);
  spares.reset();
  spares.remove(2);
  expect(fill(spares, () => 5)).toEqual([1, 1]);
});
