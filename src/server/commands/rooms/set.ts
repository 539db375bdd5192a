/*
 * room-set {room, settings, owner} → room-changed {room as it is}: changes a room, or makes it another member's. What is absent stays.
 * Failures: NO_SUCH_ROOM, NOT_OWNER, NOT_A_MEMBER (whose it is to be), BAD_FILTER, BAD_TEMPLATE, BAD_REQUEST (what that room cannot have),
 * RATE_LIMITED, BUSY, UNAVAILABLE.
 */
import { type Life, type Room, refusalOfOwner } from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { type AskedRoom, askedRoom, demandAllowed, demandPace, infoOf } from './asked.ts';
import { windowChanged } from './window-wanted.ts';

/** @throws ProtocolError, EngineError */
export async function setRoom(
  services: Services,
  { principal }: Caller<Principal>,
  request: RequestFor<'room-set'>,
): Promise<ServerFrameOf<'room-changed'>> {
  const { room: name, owner, policy, description, retentionMs, history } = request;
  const asked = await askedRoom(services, principal, name);
  demandAllowed(refusalOfOwner(asked));
  const window = windowChanged(asked.room.window, request);
  demandPace(services, asked.person);
  const next = owner === undefined ? undefined : await demandMember(services, asked, owner);
  const room = await services.rooms.update(asked.room, {
    ...(policy !== undefined && { policy }),
    ...(description !== undefined && { description }),
    ...(retentionMs !== undefined && { retentionMs }),
    ...(history !== undefined && { history }),
    ...(window !== undefined && { window }),
    ...(next !== undefined && { owner: next }),
  });
  if (next !== undefined) await demandStillIn(services, asked, room, next);
  return { type: 'room-changed', ...infoOf(services, room, asked.person) };
}

async function demandMember({ accounts, rooms }: Services, { room }: AskedRoom, name: string): Promise<Life> {
  const account = await accounts.find(name);
  const membership = account && (await rooms.members.find(room, account));
  if (membership?.role === 'member') return membership.person;
  throw new ProtocolError('NOT_A_MEMBER', `${name} is not in ${room.name}.`);
}

/** Whoever has left meanwhile may not have seen that it was theirs: it is given back then. */
async function demandStillIn(
  { rooms }: Services,
  { person }: AskedRoom,
  room: Room,
  next: Life,
): Promise<void> {
  const there = await rooms.members.change(room, next, (current) => current);
  if (there?.role === 'member') return;
  const { name, incarnation } = person;
  await rooms.update(room, { owner: { name, incarnation } });
  throw new ProtocolError('NOT_A_MEMBER', `${next.name} is not in ${room.name}.`);
}
