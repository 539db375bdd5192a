/*
 * holders {room, seq} → holders-told {members, having, missing}: who has a message of a room, by what is committed: of those whose it
 * is, how many there are, how many have acknowledged it, and the first hundred names of those who have not. Of one that is not there
 * it is nobody.
 * Failures: NO_SUCH_ROOM, NOT_A_MEMBER (also of a message from before), UNAVAILABLE.
 */
import type { Account } from '../../../core/accounts.ts';
import type { Membership, Room } from '../../../core/rooms.ts';
import { placeOf } from '../../../core/windows.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import { MAX_MISSING } from '../../../protocol/v2/rooms.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedMember } from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function holders(
  services: Services,
  { principal, address }: Caller<Principal>,
  { room: name, seq }: RequestFor<'holders'>,
): Promise<ServerFrameOf<'holders-told'>> {
  const { rooms, accounts, questions } = services;
  const { room, person, membership } = await askedMember(services, principal, name);
  const isTheirs = await whose(services, person, room, seq);
  if (isTheirs === null) return { type: 'holders-told', members: 0, having: 0, missing: [] };
  if (!isTheirs(membership)) throw new ProtocolError('NOT_A_MEMBER', 'That was said before you came.');
  let people: Account[] = [];
  // As in a list of them.
  await services.quotas.searches.loggedIn.inSteps(address, () => {
    people = rooms.members
      .inRoom(room, 'member')
      .filter(isTheirs)
      .flatMap((member) => accounts.get(member.person.name) ?? []);
    return true;
  });
  const answers = await questions.ask(person.name, people, (some) => rooms.having(room, seq, some));
  const missing = people.filter((_, at) => answers[at] !== true).map((account) => account.name);
  return {
    type: 'holders-told',
    members: people.length,
    having: people.length - missing.length,
    missing: missing.sort().slice(0, MAX_MISSING),
  };
}

/** Who were in the room when something was said there, or a record was written; null where there is no such. */
async function whose(
  { rooms, topicLooks }: Services,
  { name }: Account,
  room: Room,
  seq: number,
): Promise<((member: Membership) => boolean) | null> {
  const { window } = room;
  if (window === undefined) {
    const { end } = await rooms.bounds(room);
    return seq < end ? ({ since }) => since <= seq : null;
  }
  const record = await topicLooks.pass(name, () => rooms.windows.record(window, placeOf(seq)));
  return record && (({ at }) => at <= record.timestamp);
}
