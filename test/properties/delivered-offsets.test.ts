/* What of an inbox is delivered, against a set of offsets. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeliveredOffsets } from '../../src/storage/kafka/groups/delivered-offsets.ts';
import { demandUuid } from '../../src/util/uuid.ts';
import { demandSame } from '../fuzz/fuzzing.ts';
import { holds } from './checking.ts';

const ID = demandUuid('11111111-2222-4333-8444-555555555555');
const START = 10;
/** Nothing happens from here on. */
const END = 60;

const steps = fc.oneof(
  fc.record({
    type: fc.constant('add' as const),
    at: fc.nat(END - 6),
    more: fc.integer({ min: -1, max: 5 }),
  }),
  fc.record({
    type: fc.constant('add' as const),
    at: fc.nat(END - 6),
    more: fc.integer({ min: -1, max: 5 }),
  }),
  fc.record({ type: fc.constant('cut' as const), at: fc.nat(END) }),
  fc.record({ type: fc.constant('commit' as const) }),
);

test('the delivered offsets are a set of offsets, whatever is acknowledged, cut and committed', () => {
  holds(steps, 80, 40, (all) => {
    let delivered = new DeliveredOffsets(START);
    const truth = new Set(Array.from({ length: START }, (_, offset) => offset));
    for (const step of all) {
      if (step.type === 'add') {
        const before = truth.size;
        for (let offset = step.at; offset <= step.at + step.more; offset++) truth.add(offset);
        demandSame(delivered.add(step.at, step.at + step.more), truth.size > before, step);
      } else if (step.type === 'cut') {
        delivered.cut(step.at);
        for (const offset of truth) if (offset >= step.at) truth.delete(offset);
      } else {
        const read = DeliveredOffsets.decode(delivered.low, delivered.encode(ID), ID);
        expect(read).toEqual(delivered);
        delivered = read ?? delivered;
      }
    }
    expectSame(delivered, truth);
  });
});

function expectSame(delivered: DeliveredOffsets, truth: ReadonlySet<number>): void {
  const offsets = Array.from({ length: END + 5 }, (_, offset) => offset);
  const missingFrom = (from: number) => offsets.find((offset) => offset >= from && !truth.has(offset));
  expect(offsets.filter((offset) => delivered.has(offset))).toEqual([...truth].sort((a, b) => a - b));
  expect(delivered.low).toBe(missingFrom(0));
  expect(delivered.top).toBe(truth.size === 0 ? 0 : Math.max(...truth) + 1);
  expect(offsets.slice(0, END).map((from) => delivered.nextMissing(from))).toEqual(
    offsets.slice(0, END).map(missingFrom),
  );
  let end = delivered.low;
  for (const [first, last] of delivered.ranges) {
    expect(first, 'neither overlapping nor touching').toBeGreaterThan(end);
    expect(last).toBeGreaterThanOrEqual(first);
    end = last + 1;
  }
  for (const [first, last] of [
    [0, END],
    [5, 8],
    [delivered.low, END],
    [7, 6],
  ] as const) {
    const among = offsets.filter((offset) => offset >= first && offset <= last && truth.has(offset));
    expect(delivered.count(first, last)).toBe(among.length);
  }
  expect(delivered.acknowledgedAbove).toBe(delivered.count(delivered.low, END));
}
