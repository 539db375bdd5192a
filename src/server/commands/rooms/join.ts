/*
 * join {room, back} → joined {room as it is}: comes into a room; messages from now on are theirs, and as many from before as they
 * ask for and the room allows. Who is in it already stays as they are.
 * Failures: NO_SUCH_ROOM, NOT_INVITED, ROOM_FULL, TOO_MANY_ROOMS, RATE_LIMITED, BUSY, UNAVAILABLE.
 */
import { isSameLife } from '../../../core/accounts.ts';
import { refusalOfJoin } from '../../../core/rooms.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedRoom, demandAllowed, demandPace, infoOf, livesOf, ownerNow } from './asked.ts';

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
    await services.rooms.members.put({ ...livesOf(room, person), role: 'member', since, at: Date.now() });
  }
  // Whoever comes into a room that everybody had left: else it would be another one's again as soon as that one came back.
  if (isSameLife(ownerNow(services, room) ?? undefined, person) && !isSameLife(room.owner, person)) {
    const { person: owner } = livesOf(room, person);
    return { type: 'joined', ...infoOf(services, await services.rooms.update(room, { owner }), person) };
  }
  return { type: 'joined', ...infoOf(services, room, person) };
}
