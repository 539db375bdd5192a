import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Life } from '../../../core/rooms.ts';
import type { LogBounds } from '../fetch/log-reader.ts';
import { DeliveredOffsets } from '../groups/delivered-offsets.ts';
import { type Commit, Position } from '../groups/position.ts';

/*
  A position in a room is committed as that in an inbox is. In place of those whom the owner of an inbox has written to it says of which
  stay it is: the first offset that is theirs, base 36. Commits of before say nothing there.
*/

/** Where a device is in a room, and whether that is to be committed: there was nothing, or that of an earlier stay. */
export interface RoomPosition {
  readonly position: Position;
  readonly isNew: boolean;
}

/** @param since the first offset that is theirs: where a later cut of the log has taken that, what came in its place is theirs, too */
export function roomPosition(commit: Commit | null, room: Life, since: number): RoomPosition {
  const known = commit && Position.decode(commit, room.incarnation);
  const stay = commit?.metadata.split(' ')[3] ?? '';
  const isThis = known !== null && (stay === '' ? known.delivered.low >= since : stay === stayOf(since));
  return isThis
    ? { position: known, isNew: false }
    : { position: new Position(new DeliveredOffsets(since)), isNew: true };
}

/** What is to be committed of it. */
export function roomCommit(position: Position, room: Life, since: number): Commit {
  return position.commit(room.incarnation, stayOf(since));
}

/**
 * Where the log ends in front of a position that no epoch is known of, it was cut, and nobody knows where: what was theirs may come
 * again, and nothing of what was said before they came.
 */
export function cutUnknown(position: Position, since: number, { end, epoch }: LogBounds): void {
  if (position.epoch === UNKNOWN_EPOCH && position.delivered.top > end)
    position.cut(Math.min(since, end), epoch);
}

function stayOf(since: number): string {
  return since.toString(36);
}
