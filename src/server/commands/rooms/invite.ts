/*
 * invite {room, name} → invited {room}: somebody may come into a room. Who is in it already stays as they are.
 * Failures: NO_SUCH_ROOM, NOT_OWNER, NO_SUCH_USER, BLOCKED (they have blocked who asks), ROOM_FULL, TOO_MANY_ROOMS (that they are
 * invited to), RATE_LIMITED, BUSY, UNAVAILABLE.
 */
import { type Membership, ROOM_BOUNDS, refusalOfOwner } from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedPerson, askedRoom, comeIn, demandAllowed, demandPace, livesOf, standingOf } from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function invite(
  services: Services,
  { principal }: Caller<Principal>,
  { room: roomName, name }: RequestFor<'invite'>,
): Promise<ServerFrameOf<'invited'>> {
  const asked = await askedRoom(services, principal, roomName);
  demandAllowed(refusalOfOwner(asked));
  const { room, person, peopleInRoom } = asked;
  const { members } = services.rooms;
  const guest = await askedPerson(services, name);
  if ((await members.find(room, guest)) === undefined) {
    if (guest.blocked.includes(person.name)) throw new ProtocolError('BLOCKED');
    if (peopleInRoom >= ROOM_BOUNDS.peopleInRoom) throw new ProtocolError('ROOM_FULL');
    if (members.countOf(guest, 'invited') >= ROOM_BOUNDS.roomsOfPerson) throw tooMany(name);
    demandPace(services, person);
    const lives = livesOf(room, guest);
    const decide = (current: Membership | undefined): Membership =>
      current ?? { ...lives, role: 'invited', since: 0, at: Date.now() };
    await comeIn(services, lives, decide, () => {
      if (members.countOf(guest, 'invited') > ROOM_BOUNDS.roomsOfPerson) return 'TOO_MANY_ROOMS';
      const { peopleInRoom: now } = standingOf(services, room, guest, undefined);
      return now > ROOM_BOUNDS.peopleInRoom ? 'ROOM_FULL' : null;
    });
  }
  return { type: 'invited', room: room.name };
}

function tooMany(name: string): ProtocolError {
  return new ProtocolError('TOO_MANY_ROOMS', `${name} is invited to too many rooms already.`);
}
