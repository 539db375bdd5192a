import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Notification, PACE_MS, paced } from '../../../src/terminal/notify/notification.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first at once, then one in two seconds with the number of those that it stands for', () => {
  const told: Notification[] = [];
  const notify = paced((notification) => void told.push(notification));
  for (let count = 1; count <= 1_000; count++) notify({ from: 'bob', text: `number ${count}` });
  expect(told).toEqual([{ from: 'bob', text: 'number 1' }]);
  vi.advanceTimersByTime(PACE_MS);
  expect(told.slice(1)).toEqual([{ from: 'bob', text: 'number 1000 (and 998 more)' }]);
  vi.advanceTimersByTime(10 * PACE_MS);
  expect(told).toHaveLength(2);
  notify({ from: 'carol', text: 'hi' });
  expect(told.at(-1)).toEqual({ from: 'carol', text: 'hi' });
});

test('long texts are cut', () => {
  const told: Notification[] = [];
  paced((notification) => void told.push(notification))({ from: 'b'.repeat(500), text: '😀'.repeat(500) });
  expect(told[0]?.from).toHaveLength(65);
  expect(told[0]?.text).toHaveLength(201);
  expect(told[0]?.text.isWellFormed()).toBe(true);
});
