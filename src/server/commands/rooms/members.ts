/*
 * members {room, after, limit, invited} → members-listed {members, more}: who is in a room, or invited, in order, from the one behind
 * `after` on.
 * Failures: NO_SUCH_ROOM, NOT_A_MEMBER, UNAVAILABLE.
 */
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import { MAX_MEMBERS_PAGE } from '../../../protocol/v2/rooms.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedMember } from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function listMembers(
  services: Services,
  { principal, address }: Caller<Principal>,
  { room: name, after = '', limit = MAX_MEMBERS_PAGE, invited = false }: RequestFor<'members'>,
): Promise<ServerFrameOf<'members-listed'>> {
  const { room } = await askedMember(services, principal, name);
  let names: string[] = [];
  // A room of ten thousand takes long enough to be felt.
  await services.quotas.searches.loggedIn.inSteps(address, () => {
    names = services.rooms.members
      .inRoom(room, invited ? 'invited' : 'member')
      .map(({ person }) => person.name)
      .filter((other) => other > after)
      .sort();
    return true;
  });
  return { type: 'members-listed', members: names.slice(0, limit), more: names.length > limit };
}
