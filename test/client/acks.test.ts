import { describe, expect, test } from 'vitest';
import { Acks } from '../../src/client/acks.ts';
import { messageKey, Seen } from '../../src/client/seen.ts';
import type { Message } from '../../src/protocol/v2/replies.ts';

function acksWith(received: number[], shown: number[]): Acks {
  const acks = new Acks();
  for (const seq of received) acks.received(seq);
  for (const seq of shown) acks.shown(seq);
  return acks;
}

describe('acknowledgements', () => {
  test('all that came was shown: up to the last one, once', () => {
    const acks = acksWith([3, 5, 9], [3, 5, 9]);
    expect(acks.take()).toEqual({ upTo: 9 });
    expect(acks.take()).toBeNull();
  });

  test('behind one that is not shown: ranges', () => {
    expect(acksWith([3, 5, 6, 7, 9], [3, 6, 7, 9]).take()).toEqual({
      upTo: 3,
      ranges: [
        [6, 7],
        [9, 9],
      ],
    });
    expect(acksWith([3, 5], [5]).take()).toEqual({ ranges: [[5, 5]] });
    expect(acksWith([3, 5], []).take()).toBeNull();
  });

  test('what never came cannot be acknowledged', () =>
    expect(acksWith([3], [4, 3, 3]).take()).toEqual({ upTo: 3 }));

  test('as many ranges as one ack takes, the rest with the next', () => {
    const seqs = Array.from({ length: 300 }, (_, index) => 2 * index + 1);
    const acks = acksWith([0, ...seqs], seqs);
    expect(acks.take()?.ranges).toHaveLength(256);
    expect(acks.take()?.ranges).toHaveLength(44);
    expect(acks.take()).toBeNull();
  });

  test('after a reconnect what was not acknowledged comes again; what is not shown yet still holds the place', () => {
    const acks = acksWith([1, 2, 3], [3]);
    acks.renewed();
    expect(acks.take()).toBeNull();
    acks.received(1);
    acks.shown(2);
    expect(acks.take()).toEqual({ ranges: [[2, 2]] });
  });
});

describe('duplicates', () => {
  const bytes = (value: number) => new Uint8Array(16).fill(value);
  const from = (sender: number, id: number, seq = 1): Message => ({
    seq,
    body: 'x',
    sentAt: 0,
    verified: true,
    id: bytes(id),
    from: 'bob',
    fromIncarnation: bytes(sender),
  });
  const external = (seq: number, id: number): Message => ({
    seq,
    body: 'x',
    sentAt: 0,
    verified: false,
    id: bytes(id),
    external: 'bob',
  });

  test('the same id of the same sender, wherever it lies', () => {
    const seen = new Seen();
    expect([
      seen.add(messageKey('a', from(1, 1))),
      seen.add(messageKey('a', from(1, 1, 7))),
      seen.add(messageKey('a', from(1, 2))),
    ]).toEqual([true, false, true]);
  });

  test("nobody suppresses another's message by its id", () => {
    const seen = new Seen();
    expect(seen.add(messageKey('a', external(1, 1)))).toBe(true);
    expect(seen.add(messageKey('a', from(1, 1, 2)))).toBe(true);
    expect(seen.add(messageKey('a', from(2, 1, 3)))).toBe(true);
    expect(seen.add(messageKey('a', external(4, 1)))).toBe(true);
    expect(seen.add(messageKey('a', external(4, 2)))).toBe(false);
    expect(seen.add(messageKey('b', external(4, 2)))).toBe(true);
  });

  test('remembers only so many, the newest', () => {
    const seen = new Seen(3);
    for (const id of [1, 2, 3, 4]) seen.add(messageKey('a', from(1, id)));
    expect(seen.add(messageKey('a', from(1, 4)))).toBe(false);
    expect(seen.add(messageKey('a', from(1, 1)))).toBe(true);
  });
});
