/* Where an owner is in a log that loses its tail and its beginning, against what the reader was really given. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EpochEnd, Epochs } from '../../src/core/epochs.ts';
import {
  DeliveredOffsets,
  MAX_METADATA_CHARACTERS,
} from '../../src/storage/kafka/groups/delivered-offsets.ts';
import { Position } from '../../src/storage/kafka/groups/position.ts';
import { demandUuid } from '../../src/util/uuid.ts';
import { demand } from '../fuzz/fuzzing.ts';
import { holds, runs } from './checking.ts';

const ID = demandUuid('11111111-2222-4333-8444-555555555555');

/** As a commit has it, and back. */
function kept(position: Position): Position {
  const metadata = position.delivered.encode(ID, 'abcdef', position.encode());
  expect(metadata.length).toBeLessThanOrEqual(MAX_METADATA_CHARACTERS);
  const read = Position.decode({ offset: position.delivered.low, epoch: position.epoch, metadata }, ID);
  if (read === null) throw new Error(`not read back: ${metadata}`);
  return read;
}

/** What Kafka's leader says of a log: one epoch for each of its records. */
function endOf(log: readonly number[], asked: number, leader: number): EpochEnd {
  const known = [...new Set([...log, leader])].filter((epoch) => epoch <= asked).sort((a, b) => b - a);
  const [epoch = -1] = known;
  const end = log.findIndex((each) => each > epoch);
  return { epoch, end: end < 0 ? log.length : end };
}

const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('elect' as const), by: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('truncate' as const), by: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('trim' as const), by: fc.nat(3) }) },
  // A compaction takes away what nobody has read.
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('compact' as const), each: fc.integer({ min: 2, max: 6 }) }),
  },
  // It is opened, read to the end, and all is acknowledged but each so manieth.
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('read' as const), butEach: fc.integer({ min: 2, max: 5 }) }),
  },
);

test('nothing counts as delivered that its reader was not given, and nothing as gone that is there', () => {
  holds(steps, 150, 40, (all) => {
    let log: { id: number; epoch: number; isThere: boolean }[] = [];
    let start = 0;
    let epoch = 0;
    let position = new Position(new DeliveredOffsets(0));
    const had = new Set<number>();
    let ids = 0;
    for (const step of all) {
      if (step.type === 'append')
        for (let i = 0; i < step.count; i++) log.push({ id: ids++, epoch, isThere: true });
      else if (step.type === 'elect') epoch += step.by;
      else if (step.type === 'truncate') {
        log = log.slice(0, Math.max(start, log.length - step.by));
        epoch += 1;
      } else if (step.type === 'compact') {
        log = log.map((record, at) => (at % step.each === 0 ? { ...record, isThere: false } : record));
      } else if (step.type === 'trim') start = Math.min(log.length, start + step.by);
      else {
        position = kept(position);
        const epochs = log.map((record) => record.epoch);
        const isSure =
          position.epoch < 0 || (position.epoch === epoch && position.delivered.top <= log.length);
        const ends = isSure ? null : endOf(epochs, position.epoch, epoch);
        position.resume({ start, end: log.length, epoch }, ends);
        expect(position.delivered.top).toBeLessThanOrEqual(Math.max(start, log.length));
        expect(position.delivered.low).toBeGreaterThanOrEqual(start);
        for (const [offset, record] of log.entries()) {
          if (!record.isThere) continue;
          const isDelivered = position.delivered.has(offset) && !position.gone.has(offset);
          demand(offset < start || !isDelivered || had.has(record.id), () => `${offset} was given to nobody`);
          demand(offset < start || !position.gone.has(offset), () => `${offset} is there`);
        }
        for (const [offset, record] of log.entries()) {
          if (position.delivered.has(offset)) continue;
          position.epochs.note(offset, record.epoch);
          if (!record.isThere) {
            position.lose(offset, offset);
            continue;
          }
          if (offset % step.butEach === 0) continue;
          had.add(record.id);
          position.delivered.add(offset, offset);
        }
      }
    }
  });
});

test('epochs are noted where they begin, in whatever order their records are seen', () => {
  const log = fc
    .array(fc.record({ by: fc.integer({ min: 1, max: 3 }), records: fc.integer({ min: 1, max: 6 }) }), {
      maxLength: 25,
    })
    .map((leaders) => {
      let epoch = 0;
      return leaders.flatMap(({ by, records }) => {
        epoch += by;
        return Array.from({ length: records }, () => epoch);
      });
    });
  const seen = log.chain((epochs) =>
    fc.record({
      epochs: fc.constant(epochs),
      order: fc.shuffledSubarray(Array.from(epochs.keys()), { minLength: epochs.length }),
    }),
  );
  fc.assert(
    fc.property(seen, ({ epochs, order }) => {
      const known = new Epochs();
      for (const offset of order) known.note(offset, epochs[offset] ?? -1);
      // The sixteen newest are remembered.
      const remembered = new Set([...new Set(epochs)].slice(-16));
      expect(epochs.map((_, offset) => known.at(offset))).toEqual(
        epochs.map((epoch) => (remembered.has(epoch) ? epoch : -1)),
      );
      expect(Epochs.decode(known.encode(1_000))?.starts).toEqual(known.starts);
    }),
    runs(60),
  );
});

test('whatever holes there are, what is gone is remembered as gone: rather too much than too little', () => {
  const holes = fc.record({ skip: fc.nat(40_000), lost: fc.integer({ min: 1, max: 3 }) });
  holds(holes, 10, 300, (all) => {
    const position = new Position(new DeliveredOffsets(0));
    const gone: number[] = [];
    let at = 0;
    for (const { skip, lost } of all) {
      if (skip > 0) position.delivered.add(at, at + skip - 1);
      at += skip;
      for (let i = 0; i < lost; i++) gone.push(at + i);
      position.skipTo(at + lost);
      at += lost;
    }
    const read = kept(position);
    expect(gone.filter((offset) => !read.gone.has(offset))).toEqual([]);
    expect(read.delivered.low).toBe(at);
  });
});
