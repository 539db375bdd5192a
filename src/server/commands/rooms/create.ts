/*
 * room-create {room, settings} → room-created {room as it is}: makes a room, whose owner and first member is who asks.
 * With a topic it is a window on that, which keeps nothing itself.
 * Failures: TOO_MANY_ROOMS (of theirs, or of all), ROOM_TAKEN, TOPIC_NOT_ALLOWED, BAD_FILTER, BAD_TEMPLATE, BAD_REQUEST (a window with what
 * only other rooms have, or the other way round), RATE_LIMITED, BUSY, UNAVAILABLE.
 */
import { ROOM_BOUNDS, ROOM_RETENTION } from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import { accountNow, type Caller, type Principal, type Services } from '../context.ts';
import { beginWindow, infoOf, livesOf } from './asked.ts';
import { windowWanted } from './window-wanted.ts';

/** @throws ProtocolError, EngineError */
export async function createRoom(
  services: Services,
  caller: Caller<Principal>,
  request: RequestFor<'room-create'>,
): Promise<ServerFrameOf<'room-created'>> {
  const { rooms } = services;
  const person = accountNow(services, caller.principal);
  const { room: name, policy = 'open', description = '', history = 0 } = request;
  const { retentionMs = ROOM_RETENTION.usual } = request;
  const window = windowWanted(request);
  if (rooms.get(name) !== undefined) throw new ProtocolError('ROOM_TAKEN');
  const isOver =
    rooms.members.countOf(person, 'member') >= ROOM_BOUNDS.roomsOfPerson || rooms.size >= ROOM_BOUNDS.rooms;
  if (isOver) throw new ProtocolError('TOO_MANY_ROOMS');
  const retryAfterMs = services.newRooms.take(person.name);
  if (retryAfterMs > 0) throw new ProtocolError('RATE_LIMITED', undefined, { retryAfterMs });
  const owner = { name: person.name, incarnation: person.incarnation };
  const room = await services.creating.pass(caller.address, () =>
    rooms.create({
      ...{ name, owner, policy, description, retentionMs, history },
      ...(window !== undefined && { window }),
    }),
  );
  await rooms.members.put({ ...livesOf(room, person), role: 'member', since: 0, at: Date.now() });
  await beginWindow(services, room, person);
  return { type: 'room-created', ...infoOf(services, room, person) };
}
