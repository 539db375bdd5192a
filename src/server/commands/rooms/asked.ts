/* What all requests about rooms begin with: which room it is, and what who asks is to it. */
import { type Account, isSameLife } from '../../../core/accounts.ts';
import {
  type Life,
  type Membership,
  ownerOf,
  type Room,
  type RoomRefusal,
  type RoomStanding,
} from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import { accountNow, type Principal, type Services } from '../context.ts';

/** A room that somebody asks about, and what they are to it. */
export interface AskedRoom extends RoomStanding {
  readonly room: Room;
  readonly person: Account;
  readonly membership: Membership | undefined;
}

type RoomServices = Pick<Services, 'accounts' | 'rooms'>;

/** @throws ProtocolError `NO_SUCH_ROOM`, `NO_SUCH_USER`; EngineError `UNAVAILABLE` */
export async function askedRoom(
  services: RoomServices,
  principal: Principal,
  name: string,
): Promise<AskedRoom> {
  const person = accountNow(services, principal);
  const { members } = services.rooms;
  const room = await demandRoom(services, name);
  const membership = await members.find(room, person);
  return {
    ...{ room, person, membership },
    role: roleOf(services, room, membership),
    peopleInRoom: members.countIn(room, 'member') + members.countIn(room, 'invited'),
    roomsOfPerson: members.countOf(person, 'member'),
  };
}

/** The same of somebody who is in it. @throws ProtocolError `NOT_A_MEMBER` besides */
export async function askedMember(
  services: RoomServices,
  principal: Principal,
  name: string,
): Promise<{ readonly room: Room; readonly person: Account; readonly membership: Membership }> {
  const person = accountNow(services, principal);
  const room = await demandRoom(services, name);
  const membership = await services.rooms.members.find(room, person);
  if (membership?.role !== 'member') throw new ProtocolError('NOT_A_MEMBER');
  return { room, person, membership };
}

async function demandRoom({ rooms }: RoomServices, name: string): Promise<Room> {
  const room = await rooms.find(name);
  if (room === undefined) throw new ProtocolError('NO_SUCH_ROOM', `There is no room called ${name}.`);
  return room;
}

/** Whom a request is about. @throws ProtocolError `NO_SUCH_USER`; EngineError `UNAVAILABLE` */
export async function askedPerson({ accounts }: RoomServices, name: string): Promise<Account> {
  const account = await accounts.find(name);
  if (account === undefined) throw new ProtocolError('NO_SUCH_USER', `There is no user called ${name}.`);
  return account;
}

/** Whose membership of what: nothing else of either is kept in it. */
export function livesOf(room: Life, person: Life): Pick<Membership, 'room' | 'person'> {
  return {
    room: { name: room.name, incarnation: room.incarnation },
    person: { name: person.name, incarnation: person.incarnation },
  };
}

/** @throws ProtocolError for what is not theirs to do */
export function demandAllowed(refusal: RoomRefusal | null): void {
  if (refusal !== null) throw new ProtocolError(refusal);
}

/** Each change is a record in Kafka, and some are a transaction. @throws ProtocolError `RATE_LIMITED` */
export function demandPace({ changes }: Services, { name }: Account): void {
  const retryAfterMs = changes.take(name);
  if (retryAfterMs > 0) throw new ProtocolError('RATE_LIMITED', undefined, { retryAfterMs });
}

/** A room as it is to somebody, by what this server knows now. */
export function infoOf(
  services: RoomServices,
  room: Room,
  person: Life,
): Omit<ServerFrameOf<'joined'>, 'type'> {
  const { members } = services.rooms;
  const membership = members.get(room, person);
  const role = roleOf(services, room, membership) ?? undefined;
  const owner = ownerNow(services, room)?.name;
  const { name, incarnation, policy, description, retentionMs, history } = room;
  return {
    ...{ room: name, incarnation, policy, description, retentionMs, history },
    members: members.countIn(room, 'member'),
    ...(owner !== undefined && { owner }),
    ...(role !== undefined && { role }),
    ...(membership?.role === 'member' && { since: membership.since }),
  };
}

function roleOf(
  services: RoomServices,
  room: Room,
  membership: Membership | undefined,
): RoomStanding['role'] {
  if (membership?.role !== 'member') return membership?.role ?? null;
  return isSameLife(ownerNow(services, room), membership.person) ? 'owner' : 'member';
}

/** Nearly always whom the room names; looked for among all only where that one has left without a word. */
export function ownerNow({ accounts, rooms }: RoomServices, room: Room): Life | null {
  const { owner } = room;
  const isThere =
    isSameLife(accounts.get(owner.name), owner) && rooms.members.get(room, owner)?.role === 'member';
  return isThere ? owner : ownerOf(room, rooms.members.inRoom(room, 'member'));
}
