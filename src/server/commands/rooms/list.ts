/*
 * rooms {pattern, after, limit, mine} → rooms-listed {rooms, more}: the rooms whose names match, in order, from the one behind `after`
 * on; `mine`: only those that one is in or invited to. Never fails.
 */
import type { Life } from '../../../core/rooms.ts';
import { matches } from '../../../core/wildcard.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import { MAX_ROOMS_PAGE } from '../../../protocol/v2/rooms.ts';
import type { RequestFor } from '../command.ts';
import { accountNow, type Caller, type Principal, type Services } from '../context.ts';
import { infoOf } from './asked.ts';

/** @throws ProtocolError */
export async function listRooms(
  services: Services,
  caller: Caller<Principal>,
  { pattern = '', after, limit = MAX_ROOMS_PAGE, mine = false }: RequestFor<'rooms'>,
): Promise<ServerFrameOf<'rooms-listed'>> {
  const { rooms, quotas } = services;
  const person = accountNow(services, caller.principal);
  // One more than asked for says whether there are more.
  const names = mine
    ? roomsOf(services, person, pattern, after).slice(0, limit + 1)
    : await rooms.list(pattern, {
        limit: limit + 1,
        ...(after !== undefined && { after }),
        inSteps: (step) => quotas.searches.loggedIn.inSteps(caller.address, () => caller.isGone() || step()),
      });
  const found = names.slice(0, limit).flatMap((name) => rooms.get(name) ?? []);
  return {
    type: 'rooms-listed',
    rooms: found.map((room) => infoOf(services, room, person)),
    more: names.length > limit,
  };
}

/** They are some hundred at most. */
function roomsOf(
  { rooms: { members } }: Services,
  person: Life,
  pattern: string,
  after: string | undefined,
): string[] {
  return [...members.ofPerson(person, 'member'), ...members.ofPerson(person, 'invited')]
    .map(({ room }) => room.name)
    .filter(
      (name) => (pattern === '' || matches(pattern, name.slice(1))) && (after === undefined || name > after),
    )
    .sort();
}
