/*
 * room-delete {room, force} → room-deleted {room}: removes a room with all that was said in it.
 * Failures: NO_SUCH_ROOM, NOT_OWNER, HAS_MEMBERS (others are in it) unless forced, RATE_LIMITED, BUSY, UNAVAILABLE.
 */
import { refusalOfOwner } from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedRoom, demandAllowed, demandPace } from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function deleteRoom(
  services: Services,
  { principal }: Caller<Principal>,
  { room: name, force = false }: RequestFor<'room-delete'>,
): Promise<ServerFrameOf<'room-deleted'>> {
  const asked = await askedRoom(services, principal, name);
  demandAllowed(refusalOfOwner(asked));
  const { room, person } = asked;
  demandPace(services, person);
  const others = services.rooms.members.inRoom(room, 'member').length - 1;
  if (others > 0 && !force) {
    const who = others === 1 ? '1 other is' : `${others} others are`;
    throw new ProtocolError('HAS_MEMBERS', `${who} in ${room.name}.`);
  }
  await services.rooms.remove(room);
  return { type: 'room-deleted', room: room.name };
}
