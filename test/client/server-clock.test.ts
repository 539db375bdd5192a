import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServerClock } from '../../src/client/server-clock.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 21, 12);

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());

test('is this one’s until the server has told its time, and goes on with it', () => {
  const clock = new ServerClock();
  expect(clock.now()).toBe(NOON);
  expect(clock.heard(NOON + 2 * HOUR)).toBe("This machine's clock is 2 h slow: times here are the server's.");
  vi.advanceTimersByTime(5_000);
  expect(clock.now()).toBe(NOON + 2 * HOUR + 5_000);
  // Said once, however often the server tells.
  expect(clock.heard(NOON + 3 * HOUR)).toBeNull();
  expect(clock.now()).toBe(NOON + 3 * HOUR);
});

test.each([
  [-10 * 60_000, "This machine's clock is 10 min fast: times here are the server's."],
  [400 * 24 * HOUR, "This machine's clock is 400 days slow: times here are the server's."],
  [30_000, null],
])('%s ms ahead', (ahead, sentence) => expect(new ServerClock().heard(NOON + ahead)).toBe(sentence));

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER])('%s is no time', (time) => {
  const clock = new ServerClock();
  expect(clock.heard(time)).toBeNull();
  expect(clock.now()).toBe(NOON);
});
