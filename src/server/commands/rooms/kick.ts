/*
 * kick {room, name} → kicked {room}: puts somebody out of a room, or takes an invitation back. They get nothing that came after.
 * Failures: NO_SUCH_ROOM, NOT_OWNER, BAD_REQUEST (oneself), NO_SUCH_USER, NOT_A_MEMBER (neither in it nor invited), RATE_LIMITED,
 * BUSY, UNAVAILABLE.
 */
import { isSameLife } from '../../../core/accounts.ts';
import { refusalOfOwner } from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedPerson, askedRoom, demandAllowed, demandPace, livesOf } from './asked.ts';
import { goOut } from './leave.ts';

/** @throws ProtocolError, EngineError */
export async function kick(
  services: Services,
  { principal }: Caller<Principal>,
  { room: roomName, name }: RequestFor<'kick'>,
): Promise<ServerFrameOf<'kicked'>> {
  const asked = await askedRoom(services, principal, roomName);
  demandAllowed(refusalOfOwner(asked));
  const { room, person } = asked;
  const other = await askedPerson(services, name);
  if (isSameLife(other, person))
    throw new ProtocolError('BAD_REQUEST', 'You cannot put yourself out: leave.');
  const { members } = services.rooms;
  if ((await members.find(room, other)) === undefined)
    throw new ProtocolError('NOT_A_MEMBER', `${name} is neither in ${room.name} nor invited.`);
  demandPace(services, person);
  await goOut(services, room, livesOf(room, other), false);
  return { type: 'kicked', room: room.name };
}
