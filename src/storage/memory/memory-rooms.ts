import { randomUUID } from 'node:crypto';
import { type Account, isSameLife, type ListOptions } from '../../core/accounts.ts';
import { devicesOf } from '../../core/devices.ts';
import { EngineError } from '../../core/errors.ts';
import type { Accepted, OutgoingMessage } from '../../core/inboxes.ts';
import type {
  Life,
  Members,
  Membership,
  MembershipChange,
  NewRoom,
  Room,
  RoomChange,
  Rooms,
  Windows,
} from '../../core/rooms.ts';
import { NameSearches } from '../../core/wildcard.ts';
import { newUuid } from '../../util/uuid.ts';
import type { MemoryStore } from './memory-store.ts';
import { placeKey } from './room-log.ts';

/** Longest name, in characters, without its `#`. */
const LONGEST_ROOM = 32;

/** The rooms, in memory: every change is seen by everybody at once. */
export class MemoryRooms implements Rooms {
  readonly members: Members;
  readonly windows = NO_WINDOWS;
  readonly #store: MemoryStore;
  readonly #searches: NameSearches;

  constructor(store: MemoryStore) {
    this.#store = store;
    this.#searches = new NameSearches(store.roomNames, LONGEST_ROOM);
    this.members = new MemoryMembers(store);
  }

  get size(): number {
    return this.#store.rooms.size;
  }

  get(name: string): Room | undefined {
    return this.#store.rooms.get(name);
  }

  async find(name: string): Promise<Room | undefined> {
    return this.get(name);
  }

  async findEvenly(name: string): Promise<Room | undefined> {
    return this.get(name);
  }

  async create(wanted: NewRoom): Promise<Room> {
    if (wanted.window !== undefined) noTopics();
    if (this.get(wanted.name) !== undefined) throw new EngineError('ROOM_TAKEN', `${wanted.name} is taken`);
    const room: Room = { ...wanted, incarnation: newUuid(), topicId: randomUUID(), createdAt: Date.now() };
    this.#store.putRoom(room);
    return room;
  }

  async update(room: Room, change: RoomChange): Promise<Room> {
    const changed = { ...this.#store.demandRoom(room).current, ...change };
    this.#store.putRoom(changed);
    return changed;
  }

  async remove(room: Room): Promise<void> {
    const { current } = this.#store.demandRoom(room);
    const people = (['member', 'invited'] as const).flatMap((role) => this.members.inRoom(room, role));
    this.#store.removeRoom(current);
    for (const member of people) await this.members.remove(member);
  }

  async list(pattern: string, { after, limit, inSteps }: ListOptions = {}): Promise<string[]> {
    const most = limit ?? Number.POSITIVE_INFINITY;
    return (await this.#searches.find(pattern, after?.slice(1), most, inSteps)).map((name) => `#${name}`);
  }

  async bounds(room: Room): Promise<{ start: number; end: number }> {
    return this.#store.demandRoom(room).log.bounds;
  }

  async append(to: Room, message: OutgoingMessage): Promise<Accepted> {
    return this.#store.say(to, message);
  }

  async having(room: Room, offset: number, people: readonly Account[]): Promise<boolean[]> {
    const { log } = this.#store.demandRoom(room);
    return people.map((account) =>
      devicesOf(account).some((device) => log.has(placeKey(account, device), offset)),
    );
  }
}

/** There are no topics here that could be shown. */
const NO_WINDOWS: Windows = {
  enter: async () => {},
  record: async () => noTopics(),
  preview: async () => noTopics(),
};

function noTopics(): never {
  throw new EngineError('TOPIC_NOT_ALLOWED', 'There are no topics in memory.');
}

class MemoryMembers implements Members {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  get(room: Life, person: Life): Membership | undefined {
    const found = this.#store.members.get(keyOf(room, person));
    return isSameLife(found?.room, room) && isSameLife(found?.person, person) ? found : undefined;
  }

  async find(room: Life, person: Life): Promise<Membership | undefined> {
    return this.get(room, person);
  }

  inRoom(room: Life, role: Membership['role']): Membership[] {
    return this.#found(this.#store.memberIndex.people(room, role), (name) => {
      const account = this.#store.accounts.get(name);
      return account && this.get(room, account);
    });
  }

  countIn(room: Life, role: Membership['role']): number {
    return this.#store.memberIndex.people(room, role).size;
  }

  countOf(person: Life, role: Membership['role']): number {
    return this.ofPerson(person, role).length;
  }

  ofPerson(person: Life, role: Membership['role']): Membership[] {
    return this.#found(this.#store.memberIndex.rooms(person, role), (name) => {
      const room = this.#store.rooms.get(name);
      return room && this.get(room, person);
    });
  }

  watch(person: Life, changed: (room: string) => void): () => void {
    return this.#store.memberIndex.watch(person, changed);
  }

  async change(room: Life, person: Life, decide: MembershipChange): Promise<Membership | undefined> {
    const current = this.get(room, person);
    const wanted = decide(current);
    if (wanted === current) return current;
    const { members, memberIndex } = this.#store;
    const key = keyOf(room, person);
    const before = members.get(key) ?? null;
    if (current?.role === 'member' && wanted?.role !== 'member') this.#store.logOf(room)?.forget(person);
    if (wanted === undefined) members.delete(key);
    else members.set(key, wanted);
    memberIndex.replace(before, wanted ?? null);
    return wanted;
  }

  async put(membership: Membership): Promise<void> {
    await this.change(membership.room, membership.person, () => membership);
  }

  async remove({ room, person }: Pick<Membership, 'room' | 'person'>): Promise<void> {
    await this.change(room, person, () => undefined);
  }

  #found(names: Iterable<string>, find: (name: string) => Membership | undefined): Membership[] {
    return [...names].flatMap((name) => find(name) ?? []);
  }
}

function keyOf(room: Life, person: Life): string {
  return `${room.name}/${person.name}`;
}
