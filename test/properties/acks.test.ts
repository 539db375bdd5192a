/* What a client acknowledges, and by what it knows a message again, against plain sets. */
import fc from 'fast-check';
import { test } from 'vitest';
import { type Ack, Acks } from '../../src/client/acks.ts';
import { Seen } from '../../src/client/seen.ts';
import { MAX_ACK_RANGES } from '../../src/protocol/v2/requests.ts';
import { demand, demandSame } from '../fuzz/fuzzing.ts';
import { holds } from './checking.ts';

const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('receive' as const), gap: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('show' as const), which: fc.nat(1_000) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('take' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('renew' as const) }) },
);

const covers = (ack: Ack | null, seq: number): boolean =>
  ack !== null && (seq <= (ack.upTo ?? -1) || (ack.ranges?.some(([a, b]) => a <= seq && seq <= b) ?? false));

test.each([true, false])(
  'exactly what was shown is acknowledged; nothing lies between two messages: %s',
  (areAll) => {
    holds(steps, 100, 60, (all) => {
      const acks = new Acks(areAll);
      const open = new Set<number>();
      const shown = new Set<number>();
      const told = new Set<number>();
      let seq = 0;
      const take = () => {
        const ack = acks.take();
        demand((ack?.ranges?.length ?? 0) <= MAX_ACK_RANGES, () => 'too many ranges');
        for (let one = 0; one <= seq; one++) {
          if (!covers(ack, one)) continue;
          demand(!open.has(one), () => `${one} was not shown`);
          // Only where nothing lies between two messages more than these may be meant.
          demand(areAll || shown.has(one) || told.has(one), () => `${one} never came`);
          if (shown.delete(one)) told.add(one);
        }
        demandSame([[...shown], acks.waiting], [[], 0], all);
      };
      for (const step of all) {
        if (step.type === 'receive') {
          seq += step.gap;
          open.add(seq);
          acks.received(seq);
        } else if (step.type === 'show') {
          const one = [...open, ...told][step.which % Math.max(1, open.size + told.size)] ?? seq + 1;
          acks.shown(one);
          if (open.delete(one)) shown.add(one);
        } else if (step.type === 'take') take();
        else {
          acks.renewed();
          // What was not acknowledged comes again.
          for (const one of shown) {
            open.add(one);
            acks.received(one);
          }
          shown.clear();
        }
        demandSame([acks.open, acks.waiting], [open.size, shown.size], all);
        for (const one of [...open, ...told])
          demand(acks.isOpen(one) === open.has(one), () => `${one} is open`);
      }
      take();
    });
  },
);

test('the newest keys are known again, so many of them', () => {
  holds(fc.nat(12), 50, 60, (keys) => {
    const limit = 5;
    const seen = new Seen(limit);
    let remembered: string[] = [];
    for (const key of keys.map(String)) {
      const isKnown = remembered.includes(key);
      demandSame([seen.has(key), seen.add(key)], [isKnown, !isKnown], keys);
      if (!isKnown) remembered = [...remembered, key].slice(-limit);
    }
  });
});
