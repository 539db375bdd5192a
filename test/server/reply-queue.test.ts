import { expect, it } from 'vitest';
import { ReplyQueue } from '../../src/server/session/reply-queue.ts';

it('replies keep the order of their requests, and those that wait are counted', () => {
  const written: string[] = [];
  const queue = new ReplyQueue({ write: (frame) => written.push(frame.toString()) });
  const [first, second, third] = [queue.reserve(), queue.reserve(), queue.reserve()];
  expect(queue.waiting).toBe(3);
  second.fill(Buffer.from('second'));
  third.fill(null);
  expect(written).toEqual([]);
  expect(queue.waiting).toBe(3);
  first.fill(Buffer.from('first'));
  expect(written).toEqual(['first', 'second']);
  expect(queue.waiting).toBe(0);
});
