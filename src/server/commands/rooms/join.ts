/*
 * join {room, back} → joined {room as it is}: comes into a room; messages from now on are theirs, and as many from before as they
 * ask for and the room allows. Who is in it already stays as they are.
 * Failures: NO_SUCH_ROOM, NOT_INVITED, ROOM_FULL, TOO_MANY_ROOMS, RATE_LIMITED, BUSY, UNAVAILABLE.
 */
import { isSameLife } from '../../../core/accounts.ts';
import { type Membership, ROOM_BOUNDS, refusalOfJoin } from '../../../core/rooms.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import {
  askedRoom,
  beginWindow,
  comeIn,
  demandAllowed,
  demandPace,
  infoOf,
  livesOf,
  nextAt,
  ownerNow,
  standingOf,
} from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function join(
  services: Services,
  { principal }: Caller<Principal>,
  { room: name, back = 0 }: RequestFor<'join'>,
): Promise<ServerFrameOf<'joined'>> {
  const asked = await askedRoom(services, principal, name);
  demandAllowed(refusalOfJoin(asked));
  const { room, person, membership } = asked;
  if (membership?.role !== 'member') {
    demandPace(services, person);
    const { start, end } = await services.rooms.bounds(room);
    const since = Math.max(start, end - Math.min(back, room.history));
    const lives = livesOf(room, person);
    const decide = (current: Membership | undefined): Membership => {
      if (current?.role === 'member') return current;
      demandAllowed(refusalOfJoin(standingOf(services, room, person, current)));
      return { ...lives, role: 'member', since, at: nextAt(services, room) };
    };
    await comeIn(services, lives, decide, (before) => {
      const { peopleInRoom, roomsOfPerson } = standingOf(services, room, person, before);
      if (roomsOfPerson > ROOM_BOUNDS.roomsOfPerson) return 'TOO_MANY_ROOMS';
      return before === undefined && peopleInRoom > ROOM_BOUNDS.peopleInRoom ? 'ROOM_FULL' : null;
    });
    await beginWindow(services, room, person);
  }
  // Whoever comes into a room that everybody had left: else it would be another one's again as soon as that one came back.
  if (isSameLife(ownerNow(services, room) ?? undefined, person) && !isSameLife(room.owner, person)) {
    const { person: owner } = livesOf(room, person);
    return { type: 'joined', ...infoOf(services, await services.rooms.update(room, { owner }), person) };
  }
  return { type: 'joined', ...infoOf(services, room, person) };
}
