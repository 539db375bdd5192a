import { describe, expect, it } from 'vitest';
import { Epochs } from '../../src/core/epochs.ts';
import {
  DeliveredOffsets,
  MAX_METADATA_CHARACTERS,
} from '../../src/storage/kafka/groups/delivered-offsets.ts';
import { Position } from '../../src/storage/kafka/groups/position.ts';
import { demandUuid } from '../../src/util/uuid.ts';

const ME = '11111111-2222-4333-8444-555555555555';
const ID = demandUuid(ME);

/** As a commit has it, and back. */
function roundTrip(position: Position): Position | null {
  const metadata = position.delivered.encode(ID, 'abcdef', position.encode());
  expect(metadata.length).toBeLessThanOrEqual(MAX_METADATA_CHARACTERS);
  return Position.decode({ offset: position.delivered.low, epoch: position.epoch, metadata }, ID);
}

describe('leader epochs', () => {
  it('part somewhere in what was forgotten: nobody knows where, so from the start', () => {
    const starts = Array.from({ length: 17 }, (_, epoch) => [10 * epoch, epoch] as const);
    const [all, last] = [new Epochs(starts), new Epochs(starts.slice(1))];
    for (const epochs of [all, last]) {
      expect(epochs.partsFrom({ epoch: 0, end: 5 })).toBe(0);
      expect(epochs.partsFrom({ epoch: 1, end: 15 })).toBe(15);
    }
    expect(new Epochs(starts.slice(2)).partsFrom({ epoch: 1, end: 15 }), 'none was forgotten').toBe(15);
  });

  it('keep what contradicts them out', () => {
    const epochs = new Epochs([
      [0, 1],
      [10, 3],
    ]);
    for (const [offset, epoch] of [
      [5, 0],
      [5, 4],
      [12, 2],
      [3, -1],
    ] as const)
      epochs.note(offset, epoch);
    expect(epochs.encode(100)).toBe('0@1,a@3');
    expect([epochs.at(-1), epochs.at(9), epochs.at(10)]).toEqual([-1, 1, 3]);
  });

  it('say from where on a log is another one', () => {
    const epochs = new Epochs([
      [0, 1],
      [6, 2],
      [8, 4],
    ]);
    expect(epochs.partsFrom({ epoch: 4, end: 20 })).toBe(20);
    expect(epochs.partsFrom({ epoch: 4, end: 9 })).toBe(9);
    // It goes on under an epoch in which we have seen the next one begin.
    expect(epochs.partsFrom({ epoch: 1, end: 9 })).toBe(6);
    expect(epochs.partsFrom({ epoch: 3, end: 7 })).toBe(7);
    expect(epochs.partsFrom({ epoch: -1, end: -1 })).toBe(-1);
  });

  it.each(['0@', '@1', '0@1,', '5@1,5@2', '5@2,6@1', '0@1;', '-1@2', 'zzzzzzzzzzzz@1'])(
    'are none in %s',
    (text) => {
      expect(Epochs.decode(text)).toBeNull();
    },
  );
});

describe('a position', () => {
  const simple = () => new Position(new DeliveredOffsets(10), new Epochs([[0, 1]]));

  it('comes out of a commit as it went in', () => {
    const gone = new DeliveredOffsets(-1, [
      [0, 2],
      [5, 5],
    ]);
    const position = new Position(
      new DeliveredOffsets(10, [[12, 13]]),
      new Epochs([
        [0, 1],
        [11, 4],
      ]),
      gone,
      4,
    );
    const read = roundTrip(position);
    expect(read).toEqual(position);
    expect([read?.epoch, read?.cutUnder]).toEqual([4, 4]);
    expect(position.encode()).toBe('0@1,b@4!4;1+2,2');
    expect(roundTrip(new Position(new DeliveredOffsets(3)))).toEqual(new Position(new DeliveredOffsets(3)));
  });

  it('is read from a commit of a frontend that knew no epochs, and from Kafka’s own field', () => {
    const old = (metadata: string, epoch: number) => Position.decode({ offset: 7, epoch, metadata }, ID);
    expect(old(`1 ${ME} 1`, -1)).toEqual(new Position(new DeliveredOffsets(7, [[8, 8]])));
    expect(old(`1 ${ME}  abcdef`, -1)?.epoch).toBe(-1);
    expect(old(`1 ${ME} `, 5)?.epoch).toBe(5);
  });

  it.each(['x', '0@1!', '0@1!-', '0@1;', '0@1!2;1,', '0@1;;'])(
    'is missing where its past is damaged: %s',
    (past) => {
      const metadata = `1 ${ME}   ${past}`;
      expect(Position.decode({ offset: 7, epoch: 1, metadata }, ID)).toBeNull();
    },
  );

  it('stays as it is where the log is still the one it was', () => {
    const position = simple();
    expect(position.resume({ start: 0, end: 12, epoch: 1 }, null)).toEqual({ again: 0, gone: 0 });
    expect(position.resume({ start: 0, end: 12, epoch: 3 }, { epoch: 1, end: 10 })).toEqual({
      again: 0,
      gone: 0,
    });
    expect([position.delivered.low, position.cutUnder]).toEqual([10, -1]);
  });

  it('goes back to where the log was cut', () => {
    const position = simple();
    expect(position.resume({ start: 0, end: 12, epoch: 3 }, { epoch: 1, end: 5 })).toEqual({
      again: 5,
      gone: 0,
    });
    expect([position.delivered.low, position.cutUnder, position.epoch]).toEqual([5, 3, 1]);
    const shorter = simple();
    expect(shorter.resume({ start: 0, end: 5, epoch: 3 }, { epoch: 1, end: 5 })).toEqual({
      again: 0,
      gone: 0,
    });
    expect(shorter.delivered.low).toBe(5);
  });

  it('without an epoch begins at the log’s start where the log ends below it', () => {
    const position = new Position(new DeliveredOffsets(10));
    expect(position.resume({ start: 2, end: 6, epoch: 3 }, null)).toEqual({ again: 4, gone: 0 });
    expect(position.delivered.low).toBe(2);
    const inside = new Position(new DeliveredOffsets(10));
    expect(inside.resume({ start: 2, end: 10, epoch: 3 }, null)).toEqual({ again: 0, gone: 0 });
    expect(inside.delivered.low).toBe(10);
  });

  it('notes what was deleted unread, and nothing that was delivered', () => {
    const position = new Position(
      new DeliveredOffsets(1, [
        [3, 3],
        [6, 7],
      ]),
      new Epochs([[0, 1]]),
    );
    expect(position.resume({ start: 6, end: 9, epoch: 1 }, null)).toEqual({ again: 0, gone: 4 });
    expect(position.gone.ranges).toEqual([
      [1, 2],
      [4, 5],
    ]);
    expect(position.delivered.low).toBe(8);
    expect(new Position(new DeliveredOffsets(0)).skipTo(5)).toBe(5);
  });

  it('has room in a commit for any number of holes: too much is called gone then, never too little', () => {
    const position = new Position(new DeliveredOffsets(0));
    const truth: number[] = [];
    for (let hole = 0; hole < 500; hole++) {
      truth.push(hole * 1_000 + 500);
      position.delivered.add(0, hole * 1_000 + 499);
      position.skipTo(hole * 1_000 + 501);
    }
    const read = roundTrip(position);
    expect(truth.filter((offset) => !read?.gone.has(offset))).toEqual([]);
    expect(read?.gone.has(499_499), 'the newest are exact').toBe(false);
  });
});
