/* Where a device is in a room, by what is committed and since when its owner is in it. */
import { describe, expect, it } from 'vitest';
import { DeliveredOffsets } from '../../src/storage/kafka/groups/delivered-offsets.ts';
import { Position } from '../../src/storage/kafka/groups/position.ts';
import { cutUnknown, roomCommit, roomPosition } from '../../src/storage/kafka/rooms/room-position.ts';
import { newUuid } from '../../src/util/uuid.ts';

const room = { name: '#ops', incarnation: newUuid() };
const at = (low: number) => new Position(new DeliveredOffsets(low));
const lowOf = (commit: Parameters<typeof roomPosition>[0], since: number) =>
  roomPosition(commit, room, since).position.delivered.low;

describe('a position in a room', () => {
  it('is that of this stay, and no other one’s', () => {
    expect(roomPosition(null, room, 7)).toMatchObject({ isNew: true });
    expect(lowOf(null, 7)).toBe(7);
    const commit = roomCommit(at(20), room, 7);
    expect(roomPosition(commit, room, 7)).toMatchObject({ isNew: false });
    expect(lowOf(commit, 7)).toBe(20);
    expect(lowOf(commit, 40)).toBe(40);
    expect(lowOf(commit, 12)).toBe(12);
    expect(roomPosition(commit, { ...room, incarnation: newUuid() }, 7)).toMatchObject({ isNew: true });
  });

  it('stays where it is below their first offset once the log was cut there', () => {
    const position = at(20);
    position.cut(3, 2);
    position.delivered.add(3, 4);
    const commit = roomCommit(position, room, 7);
    expect(lowOf(commit, 7)).toBe(5);
    // Of an earlier stay it is none all the same.
    expect(lowOf(commit, 9)).toBe(9);
  });

  it('of before says of no stay: it counts where it is not in front of theirs', () => {
    const commit = at(20).commit(room.incarnation, '');
    expect([lowOf(commit, 7), lowOf(commit, 21)]).toEqual([20, 21]);
  });

  it('whose log ends in front of it, nobody knows since when, gives nothing of what was said before they came', () => {
    const bounds = { start: 0, epoch: 4 };
    const ahead = at(7);
    cutUnknown(ahead, 7, { ...bounds, end: 5 });
    expect(ahead.delivered.low).toBe(5);
    const read = at(9);
    cutUnknown(read, 7, { ...bounds, end: 8 });
    expect(read.delivered.low).toBe(7);
    const fine = at(9);
    cutUnknown(fine, 7, { ...bounds, end: 9 });
    expect(fine.delivered.low).toBe(9);
  });
});
