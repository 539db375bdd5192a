import { isSameLife, type ListOptions } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import type { Life, Members, Membership, NewRoom, Room, RoomChange, Rooms } from '../../core/rooms.ts';
import { NameSearches } from '../../core/wildcard.ts';
import { newUuid } from '../../util/uuid.ts';
import type { MemoryStore } from './memory-store.ts';

/** Longest name, in characters, without its `#`. */
const LONGEST_ROOM = 32;

/** The rooms, in memory: every change is seen by everybody at once. */
export class MemoryRooms implements Rooms {
  readonly members: Members;
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

  async create(wanted: NewRoom): Promise<Room> {
    if (this.get(wanted.name) !== undefined) throw new EngineError('ROOM_TAKEN', `${wanted.name} is taken`);
    const topicId = this.#store.newMailbox();
    const room: Room = { ...wanted, incarnation: newUuid(), topicId, createdAt: Date.now() };
    this.#store.rooms.set(room.name, room);
    this.#store.roomNames.add(room.name.slice(1));
    return room;
  }

  async update(room: Room, change: RoomChange): Promise<Room> {
    const changed = { ...this.#demand(room), ...change };
    this.#store.rooms.set(room.name, changed);
    return changed;
  }

  async remove(room: Room): Promise<void> {
    const { name, topicId } = this.#demand(room);
    const people = (['member', 'invited'] as const).flatMap((role) => this.members.inRoom(room, role));
    this.#store.rooms.delete(name);
    this.#store.roomNames.delete(name.slice(1));
    this.#store.removeMailbox(topicId, 'deleted');
    for (const member of people) await this.members.remove(member);
  }

  async list(pattern: string, { after, limit, inSteps }: ListOptions = {}): Promise<string[]> {
    const most = limit ?? Number.POSITIVE_INFINITY;
    return (await this.#searches.find(pattern, after?.slice(1), most, inSteps)).map((name) => `#${name}`);
  }

  async bounds(room: Room): Promise<{ start: number; end: number }> {
    const mailbox = this.#store.mailboxes.get(this.#demand(room).topicId);
    if (mailbox === undefined) throw new EngineError('NO_SUCH_ROOM', `the log of ${room.name} is gone`);
    return { start: mailbox.first(undefined), end: mailbox.next };
  }

  #demand(room: Room): Room {
    const current = this.get(room.name);
    if (isSameLife(current, room)) return current;
    throw new EngineError('NO_SUCH_ROOM', `${room.name} is gone or has another life`);
  }
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
    return this.#store.memberIndex.rooms(person, role).size;
  }

  ofPerson(person: Life, role: Membership['role']): Membership[] {
    return this.#found(this.#store.memberIndex.rooms(person, role), (name) => {
      const room = this.#store.rooms.get(name);
      return room && this.get(room, person);
    });
  }

  async put(membership: Membership): Promise<void> {
    const key = keyOf(membership.room, membership.person);
    this.#store.memberIndex.replace(this.#store.members.get(key) ?? null, membership);
    this.#store.members.set(key, membership);
  }

  async remove({ room, person }: Pick<Membership, 'room' | 'person'>): Promise<void> {
    const known = this.get(room, person);
    if (known === undefined) return;
    this.#store.memberIndex.replace(known, null);
    this.#store.members.delete(keyOf(room, person));
  }

  #found(names: Iterable<string>, find: (name: string) => Membership | undefined): Membership[] {
    return [...names].flatMap((name) => find(name) ?? []);
  }
}

function keyOf(room: Life, person: Life): string {
  return `${room.name}/${person.name}`;
}
