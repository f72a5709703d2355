/** Percentiles, maximum and mean of a measurement. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** Computes percentiles by nearest rank; all are 0 without values. */
export function distributionOf(values: readonly number[]): Distribution {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  return { count: sorted.length, min: at(0), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1), mean };
}

/** One bar of a histogram: values from `from` (inclusive) to `to` (exclusive). */
export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Growth factor of the bar width: times spread over orders of magnitude. */
const growth = Math.SQRT2;

/**
 * Sorts values into bars of growing width. The last bar holds the slowest hundredth, which would otherwise stretch the
 * histogram.
 */
export function histogramOf(values: readonly number[], mostBars = 12): Bar[] {
  const { min, p99, max } = distributionOf(values);
  if (values.length === 0) return [];
  const bars: { from: number; to: number; count: number }[] = [];
  for (let from = min; bars.length < mostBars - 1 && from <= p99;) {
    const to = Math.max(from * growth, from + Number.EPSILON);
    bars.push({ from, to, count: 0 });
    from = to;
  }
  const end = bars.at(-1)?.to ?? min;
  if (max >= end) bars.push({ from: end, to: max, count: 0 });
  for (const value of values) {
    const bar = bars.find(({ to }) => value < to) ?? bars.at(-1);
    if (bar !== undefined) bar.count += 1;
  }
  return bars;
}
