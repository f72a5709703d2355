import { expect, it } from 'vitest';
import { distributionOf, histogramOf } from '../../../src/commands/replay/distribution.js';

const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);

it('percentiles are values that were measured', () => {
  expect(distributionOf(hundred)).toEqual({ count: 100, min: 1, p50: 50, p90: 90, p99: 99, max: 100, mean: 50.5 });
  expect(distributionOf([])).toMatchObject({ count: 0, p99: 0, mean: 0 });
});

it('every value is in one bar of the histogram', () => {
  for (const values of [hundred, [7], [0, 0], [1, 1_000_000]]) {
    const bars = histogramOf(values);
    expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
    expect(bars.length).toBeLessThanOrEqual(12);
  }
  expect(histogramOf([])).toEqual([]);
});
