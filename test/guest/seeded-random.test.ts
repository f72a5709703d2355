import { describe, expect, it } from 'vitest';
import { seedByEvent } from '../../src/guest/event-random.js';
import { seededRandom } from '../../src/guest/seeded-random.js';

const series = (random: () => number, length: number): number[] => Array.from({ length }, random);

describe('seededRandom', () => {
  // Computed by another program, with integers of any size.
  it.each([
    ['', 0.18176812171093137, 0.9710811865599411, 0.7719245926094229],
    ['00000000-0000-4000-8000-000000000001', 0.3147288739239368, 0.01734738920451151, 0.809682612486314],
    ['00000000-0000-4000-8000-000000000002', 0.22852706764445874, 0.4521116833329951, 0.870187627546139],
    ['ü€𝄞', 0.1490071448938769, 0.15894553849072768, 0.1987635667931984],
  ])('of %j gives the numbers that it has always given', (seed, ...numbers) => {
    expect(series(seededRandom(seed), 3)).toEqual(numbers);
  });

  it('gives numbers from 0 to less than 1, as many in each part', () => {
    const parts = new Array<number>(16).fill(0);
    for (const number of series(seededRandom('a seed'), 16_000)) {
      const part = Math.floor(number * 16);
      parts[part] = (parts[part] ?? NaN) + 1;
    }
    expect(parts).toHaveLength(16);
    expect(Math.min(...parts)).toBeGreaterThan(850);
    expect(Math.max(...parts)).toBeLessThan(1_150);
  });

  it('begins anywhere for seeds that differ in one character', () => {
    const firsts = Array.from({ length: 4_000 }, (_, at) => seededRandom(`event-${at}`)());
    expect(new Set(firsts).size).toBe(4_000);
    const mean = firsts.reduce((sum, number) => sum + number, 0) / 4_000;
    expect(mean).toBeCloseTo(0.5, 1);
  });
});

describe('seedByEvent', () => {
  it('gives the numbers of the event that was begun last', () => {
    const math = { random: () => NaN };
    const seed = seedByEvent(math);
    const { random } = math;
    expect(series(random, 2)).toEqual(series(seededRandom(''), 2));
    seed('one');
    expect(series(random, 2)).toEqual(series(seededRandom('one'), 2));
    seed('two');
    seed('one');
    expect(series(random, 2)).toEqual(series(seededRandom('one'), 2));
  });
});
