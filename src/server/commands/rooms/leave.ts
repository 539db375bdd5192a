/*
 * leave {room} → left {room}: is in a room no more, or does not take an invitation. The room of an owner who leaves is that of who
 * has been in it for longest.
 * Failures: NO_SUCH_ROOM, NOT_A_MEMBER, RATE_LIMITED, BUSY, UNAVAILABLE.
 */
import { isSameLife } from '../../../core/accounts.ts';
import { type Life, type Membership, ownerOf, type Room, type Rooms } from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedRoom, demandPace } from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function leave(
  services: Services,
  { principal }: Caller<Principal>,
  { room: name }: RequestFor<'leave'>,
): Promise<ServerFrameOf<'left'>> {
  const { room, person, membership, role } = await askedRoom(services, principal, name);
  if (membership === undefined) throw new ProtocolError('NOT_A_MEMBER');
  demandPace(services, person);
  await goOut(services, room, membership, role === 'owner');
  return { type: 'left', room: room.name };
}

/** Ends somebody's membership, or invitation; the room of its owner becomes another's. @throws EngineError */
export async function goOut(
  { rooms }: Pick<Services, 'rooms'>,
  room: Room,
  membership: Pick<Membership, 'room' | 'person'>,
  isOwner: boolean,
): Promise<void> {
  const { person } = membership;
  if (isOwner) await passOn(rooms, room, person);
  await rooms.members.remove(membership);
  // It may have been given to them meanwhile.
  const now = await rooms.findEvenly(room.name);
  if (now !== undefined && isSameLife(now, room) && isSameLife(now.owner, person))
    await passOn(rooms, now, person);
}

/** Else it would be theirs again as soon as they came back. */
async function passOn(rooms: Rooms, room: Room, from: Life): Promise<void> {
  const others = rooms.members.inRoom(room, 'member').filter(({ person }) => !isSameLife(person, from));
  const next = ownerOf(room, others);
  if (next !== null) await rooms.update(room, { owner: next });
}
