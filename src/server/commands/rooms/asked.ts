/* What all requests about rooms begin with: which room it is, and what who asks is to it. */
import { type Account, isSameLife } from '../../../core/accounts.ts';
import {
  type Life,
  type Members,
  type Membership,
  type MembershipChange,
  ownerOf,
  type Room,
  type RoomRefusal,
  type RoomStanding,
} from '../../../core/rooms.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import { putLast } from '../../../util/bounded-map.ts';
import { uuidKey } from '../../../util/uuid.ts';
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
  return { membership, ...standingOf(services, room, person, membership) };
}

/** What somebody is to a room, by a membership of theirs or none, and how full both are. */
export function standingOf<Person extends Life>(
  services: RoomServices,
  room: Room,
  person: Person,
  membership: Membership | undefined,
) {
  const { members } = services.rooms;
  return {
    ...{ room, person, role: roleOf(services, room, membership) },
    peopleInRoom: members.countIn(room, 'member') + members.countIn(room, 'invited'),
    roomsOfPerson: members.countOf(person, 'member'),
  };
}

/**
 * Changes what somebody is to a room, by what is there when its turn comes. Others may come in at the same moment: where there are too
 * many then, whoever finds that goes again.
 * @param overfull says so of what is there by then
 * @throws ProtocolError what `decide` and `overfull` say, `NO_SUCH_ROOM`; EngineError
 */
export async function comeIn(
  { rooms }: RoomServices,
  { room, person }: Pick<Membership, 'room' | 'person'>,
  decide: MembershipChange,
  overfull: (before: Membership | undefined) => RoomRefusal | null,
): Promise<void> {
  const { members } = rooms;
  let before: Membership | undefined;
  const there = await members.change(room, person, (current) => {
    before = current;
    return decide(current);
  });
  if (there === before) return;
  // Whoever removes the room has removed all memberships that were there after it was gone.
  if (!isSameLife(await rooms.findEvenly(room.name), room)) {
    await members.remove({ room, person });
    throw new ProtocolError('NO_SUCH_ROOM');
  }
  const refusal = overfull(before);
  if (refusal === null) return;
  await members.change(room, person, (current) => (current?.at === there?.at ? before : current));
  demandAllowed(refusal);
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

/** Notes where who has just come into a room begins, if it is a window. @throws EngineError `UNAVAILABLE` */
export async function beginWindow({ rooms }: RoomServices, room: Room, person: Account): Promise<void> {
  const membership = room.window && rooms.members.get(room, person);
  if (membership !== undefined) await rooms.windows.enter(room, person, membership.at);
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
  const { name, incarnation, policy, description, retentionMs, history, window } = room;
  return {
    ...{ room: name, incarnation, policy, description, retentionMs, history },
    members: members.countIn(room, 'member'),
    ...(window !== undefined && { topic: window.topic }),
    ...(window?.where && { where: window.where }),
    ...(window?.as && { as: window.as }),
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

/**
 * Of rooms whose owner has left without a word, as one whose server died: whose it is instead, by life of the room. Past so many the
 * oldest is forgotten, and looked for again.
 */
const heirs = new WeakMap<Members, Map<string, Life>>();
const MAX_HEIRS = 10_000;

/**
 * Nearly always whom the room names; where that one has left without a word, who is looked for among all once, and has it then as long
 * as they are in it: nobody who comes is older (`nextAt`).
 */
export function ownerNow(services: RoomServices, room: Room): Life | null {
  if (isIn(services, room, room.owner)) return room.owner;
  const { members } = services.rooms;
  const known = heirs.get(members) ?? new Map<string, Life>();
  heirs.set(members, known);
  const key = uuidKey(room.incarnation);
  const heir = known.get(key);
  if (heir !== undefined && isIn(services, room, heir)) return heir;
  const found = ownerOf(room, members.inRoom(room, 'member'));
  if (found === null) known.delete(key);
  else putLast(known, key, found, MAX_HEIRS);
  return found;
}

function isIn({ accounts, rooms }: RoomServices, room: Room, person: Life): boolean {
  return isSameLife(accounts.get(person.name), person) && rooms.members.get(room, person)?.role === 'member';
}

/** When somebody comes in: now, and not before whose room it is, however the clocks of servers differ. */
export function nextAt(services: RoomServices, room: Room): number {
  const owner = ownerNow(services, room);
  const since = owner === null ? undefined : services.rooms.members.get(room, owner)?.at;
  return Math.max(Date.now(), (since ?? 0) + 1);
}
