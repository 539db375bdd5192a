import { expect, test } from 'vitest';
import { backoffMs, retryMs } from '../../src/util/backoff.ts';

const limits = { firstMs: 500, maxMs: 15_000 };

test('doubles up to the limit; a random part between half and all of it is waited', () => {
  const all = (attempt: number) => [backoffMs(attempt, limits, () => 0), backoffMs(attempt, limits, () => 1)];
  expect([0, 1, 2, 4, 5, 1_000].map(all)).toEqual([
    [250, 500],
    [500, 1_000],
    [1_000, 2_000],
    [4_000, 8_000],
    [7_500, 15_000],
    [7_500, 15_000],
  ]);
});

test('not before the server wants it, within reason', () => {
  expect(retryMs(0, limits, 2_000)).toBe(2_000);
  expect(retryMs(0, limits)).toBeLessThanOrEqual(500);
  expect(retryMs(0, limits, Number.MAX_SAFE_INTEGER)).toBe(300_000);
});
