import { describe, expect, it } from 'vitest';
import { Histogram } from '../../bench/load/histogram.ts';
import { Random } from '../protocol/random.ts';

/** The value that a share of the sorted ones is not above. */
function exact(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

describe('a histogram', () => {
  it('knows small values exactly', () => {
    const histogram = new Histogram();
    for (let value = 0; value < 64; value++) histogram.record(value);
    expect(histogram.quantile(0.5)).toBe(31);
    expect(histogram.quantile(1)).toBe(63);
    expect(histogram.mean).toBe(31.5);
  });

  it.each([10, 1_000, 1e6, 1e9])('is at most 1/64 above the true quantiles of values up to %d', (top) => {
    const random = new Random(7);
    const histogram = new Histogram();
    const values = Array.from({ length: 5_000 }, () => random.below(top));
    for (const value of values) histogram.record(value);
    const sorted = values.toSorted((a, b) => a - b);
    for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
      const truth = exact(sorted, share);
      expect(histogram.quantile(share)).toBeGreaterThanOrEqual(truth);
      expect(histogram.quantile(share)).toBeLessThanOrEqual(truth + truth / 64 + 1);
    }
    expect(histogram.max).toBe(sorted.at(-1));
  });

  it('is the same added up from parts', () => {
    const [one, two, both, sum] = [new Histogram(), new Histogram(), new Histogram(), new Histogram()];
    for (let i = 0; i < 1_000; i++) {
      (i % 3 === 0 ? one : two).record(i * i);
      both.record(i * i);
    }
    sum.add(one.data());
    sum.add(two.data());
    expect(sum.data()).toEqual(both.data());
    expect(sum.count).toBe(1_000);
  });

  it('takes what is below zero and above all bounds', () => {
    const histogram = new Histogram();
    histogram.record(-5);
    histogram.record(1e15);
    expect(histogram.count).toBe(2);
    expect(histogram.quantile(0.5)).toBe(0);
    expect(histogram.max).toBe(2 ** 36 - 1);
  });
});
