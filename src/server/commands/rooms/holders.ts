/*
 * holders {room, seq} → holders-told {members, having, missing}: who has a message of a room, by what is committed: of those whose it
 * is, how many there are, how many have acknowledged it, and the first hundred names of those who have not.
 * Failures: NO_SUCH_ROOM, NOT_A_MEMBER (also of a message from before), UNAVAILABLE.
 */
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import { MAX_MISSING } from '../../../protocol/v2/rooms.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedMember } from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function holders(
  services: Services,
  { principal }: Caller<Principal>,
  { room: name, seq }: RequestFor<'holders'>,
): Promise<ServerFrameOf<'holders-told'>> {
  const { rooms, accounts, questions } = services;
  const { room, person, membership } = await askedMember(services, principal, name);
  if (membership.since > seq) throw new ProtocolError('NOT_A_MEMBER', 'That was said before you came.');
  const people = rooms.members
    .inRoom(room, 'member')
    .filter(({ since }) => since <= seq)
    .flatMap((member) => accounts.get(member.person.name) ?? []);
  const answers = await questions.ask(person.name, people, (some) => rooms.having(room, seq, some));
  const missing = people.filter((_, at) => answers[at] !== true).map((account) => account.name);
  return {
    type: 'holders-told',
    members: people.length,
    having: people.length - missing.length,
    missing: missing.sort().slice(0, MAX_MISSING),
  };
}
