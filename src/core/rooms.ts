import { type Account, isSameLife, type ListOptions } from './accounts.ts';
import type { Accepted, InboxMessage, OutgoingMessage } from './inboxes.ts';
import type { RecordPlace, TopicRecord, TopicWindow, WindowNotice, WindowPreview } from './windows.ts';

/** Who can be in how many rooms, how many can be in one, and how many rooms there can be. */
export const ROOM_BOUNDS = { roomsOfPerson: 200, peopleInRoom: 10_000, rooms: 100_000 } as const;
/** How long a room keeps a message unless its owner says otherwise, and the bounds of that, milliseconds. */
export const ROOM_RETENTION = { usual: 30 * 86_400_000, least: 60_000, most: 3_650 * 86_400_000 } as const;
/** Messages from before somebody came that they may be shown at most, and longest description in bytes of UTF-8. */
export const MAX_ROOM_HISTORY = 1_000;
export const MAX_DESCRIPTION_BYTES = 256;

/** A name and one life of it: deleted and made again, it has another one. */
export interface Life {
  readonly name: string;
  /** Random, 16 bytes. */
  readonly incarnation: Uint8Array;
}

/** Who may join: everybody, or whom the owner has invited. */
type RoomPolicy = 'open' | 'invited';

/** One room, as the compacted topic of rooms holds it. Its messages are one log, in one order for everybody. */
export interface Room extends Life {
  /** Unique, with its `#` and lower-cased already: `#[a-z0-9][a-z0-9_-]{0,31}`. */
  readonly name: string;
  /** Kafka's id of the room's topic: a UUID as text. */
  readonly topicId: string;
  /** Whose it was made, or given to. Whether they still are in it says `ownerOf`. */
  readonly owner: Life;
  readonly policy: RoomPolicy;
  /** Perhaps empty. */
  readonly description: string;
  /** Messages are kept for so many milliseconds. */
  readonly retentionMs: number;
  /** So many messages from before may somebody who joins have. */
  readonly history: number;
  /** Set where it shows the records of another topic; its own log stays empty then. */
  readonly window?: TopicWindow | undefined;
  /** Milliseconds since the epoch, by the frontend that made it. */
  readonly createdAt: number;
}

export type NewRoom = Omit<Room, 'incarnation' | 'topicId' | 'createdAt'>;
/** What may change in a room's life; what is not given stays. */
export type RoomChange = Partial<Omit<NewRoom, 'name'>>;

/** Somebody in a room, or who may come in: of these very lives of both, and of no others. */
export interface Membership {
  readonly room: Life;
  readonly person: Life;
  readonly role: 'member' | 'invited';
  /** The first offset of the room's log that is for them. */
  readonly since: number;
  /** Milliseconds since the epoch, by the frontend that wrote it. */
  readonly at: number;
}

/** Where somebody hears what is said in a room. */
export interface RoomListener {
  /** Called in offset order, each offset at most once per `follow`, never while paused. */
  readonly onMessage: (message: InboxMessage) => void;
  /** So many messages that were for them were deleted before they had them. */
  readonly onGap: (messages: number) => void;
  /** Of a window: what is to be said beside its records. */
  readonly onNotice?: ((notice: WindowNotice) => void) | undefined;
}

/** A room that a device follows, under the lease of its inbox: from `follow` to `leave`, or to the end of the inbox. */
export interface FollowedRoom {
  /** As that of `Inbox`; committed with what is acknowledged there. */
  acknowledge(first: number, last: number): void;
  pause(): void;
  resume(): void;
  /** Nothing is pushed from now on. */
  leave(): void;
}

/** The door to the rooms. Names given to it are valid and lower-cased already. */
export interface Rooms {
  /** How many the local table shows now. */
  readonly size: number;
  readonly members: Members;

  /** What the local table shows now. It may lag some milliseconds behind other frontends. */
  get(name: string): Room | undefined;

  /** As `get`, but a missing name is believed only after the table has caught up. @throws EngineError `UNAVAILABLE` */
  find(name: string): Promise<Room | undefined>;

  /** What the local table shows once it has caught up. @throws EngineError `UNAVAILABLE` */
  findEvenly(name: string): Promise<Room | undefined>;

  /**
   * Makes the room and its empty log; of two racing creators exactly one wins. Nobody is in it yet. Resolves when this frontend's
   * own table shows it.
   * @throws EngineError `ROOM_TAKEN`, `BUSY`, `UNAVAILABLE`; of a window `TOPIC_NOT_ALLOWED`, `BAD_FILTER`, `BAD_TEMPLATE`
   */
  create(room: NewRoom): Promise<Room>;

  /**
   * Changes this life of the room. Resolves with what the own table shows now.
   * @throws EngineError `NO_SUCH_ROOM` (gone, or another life has the name), `BUSY`, `UNAVAILABLE`; of a window as `create`
   */
  update(room: Room, change: RoomChange): Promise<Room>;

  /**
   * Removes this life of the room, then its log, then its memberships. Resolves when the own table no longer shows the room.
   * @throws EngineError `NO_SUCH_ROOM` (already gone, or another life has the name), `BUSY`, `UNAVAILABLE`
   */
  remove(room: Room): Promise<void>;

  /**
   * Appends one message. Resolves only after Kafka stored it with `acks=all`; calls for the same room are stored in the order of
   * the calls.
   * @throws EngineError `NO_SUCH_ROOM`, `BUSY` (queue full, nothing stored), `TOO_LARGE`, `UNAVAILABLE` (may have been stored)
   */
  append(to: Room, message: OutgoingMessage): Promise<Accepted>;

  /**
   * Which of these people have acknowledged what lies at an offset, by what is committed.
   * @param offset of a window: as `seqOf`
   * @throws EngineError `UNAVAILABLE`
   */
  having(room: Room, offset: number, people: readonly Account[]): Promise<boolean[]>;

  /** Names that match, ascending by code unit. @param pattern as that of `Accounts.list`, without the `#` */
  list(pattern: string, options?: ListOptions): Promise<string[]>;

  /**
   * Offsets of the log's first message, and of the one that comes next.
   * @throws EngineError `NO_SUCH_ROOM` (its log is gone), `UNAVAILABLE`
   */
  bounds(room: Room): Promise<{ readonly start: number; readonly end: number }>;

  /** Windows on topics, where the storage has such. */
  readonly windows: Windows;
}

/** The door to what rooms show that are windows on topics. */
export interface Windows {
  /**
   * Notes for who is coming into a window that they begin at the topic's end. Who is logged in begins there anyway, once the
   * membership is known.
   * @param at the membership's
   * @throws EngineError `UNAVAILABLE`
   */
  enter(room: Room, person: Account, at: number): Promise<void>;

  /** A record of the topic; null where none lies there. @throws EngineError `TOPIC_NOT_ALLOWED`, `UNAVAILABLE` */
  record(window: TopicWindow, place: RecordPlace): Promise<TopicRecord | null>;

  /**
   * What a window would show of the newest records of all partitions together.
   * @param last how many records are looked at
   * @throws EngineError `TOPIC_NOT_ALLOWED`, `BAD_FILTER`, `BAD_TEMPLATE`, `UNAVAILABLE`
   */
  preview(window: TopicWindow, last: number): Promise<WindowPreview>;
}

/** What is to be there of one person in one room, by what is there; undefined: nothing. What it was given itself: no change. */
export type MembershipChange = (current: Membership | undefined) => Membership | undefined;

/** The door to who is in which room. */
export interface Members {
  /** What the local table shows of these lives now. */
  get(room: Life, person: Life): Membership | undefined;

  /** As `get`, but what is missing is believed only after the table has caught up. @throws EngineError `UNAVAILABLE` */
  find(room: Life, person: Life): Promise<Membership | undefined>;

  /** Of a room, as the local table shows them: whose person is deleted, or has another life, is none of them. */
  inRoom(room: Life, role: Membership['role']): Membership[];

  /** How many that are, without looking at each: who was deleted a moment ago may be among them. */
  countIn(room: Life, role: Membership['role']): number;

  /** Of a person, as the local table shows them: whose room is deleted, or has another life, is none of them. */
  ofPerson(person: Life, role: Membership['role']): Membership[];

  /** How many those are. */
  countOf(person: Life, role: Membership['role']): number;

  /**
   * Has every change of a person's memberships told, once the own table shows it; also that a room has come or gone which they are in.
   * @param changed called with the name of the room
   * @returns ends that
   */
  watch(person: Life, changed: (room: string) => void): () => void;

  /**
   * Changes what one person is to a room. Of several who do so at once each decides by what those before have left. Resolves when the
   * own table shows it, with what is there then.
   * @param decide called again where somebody was quicker; what it throws is thrown, and nothing is changed
   * @throws EngineError `BUSY`, `UNAVAILABLE`
   */
  change(room: Life, person: Life, decide: MembershipChange): Promise<Membership | undefined>;

  /** The same, whatever is there. */
  put(membership: Membership): Promise<void>;

  /** The same of its end; there may be none. */
  remove(membership: Pick<Membership, 'room' | 'person'>): Promise<void>;
}

/**
 * Who has the say in a room: whom it was made by or given to, as long as they are in it, or else who has been in it for longest.
 * Null where nobody is.
 */
export function ownerOf(
  { owner }: Pick<Room, 'owner'>,
  members: readonly Membership[],
): Membership['person'] | null {
  let oldest: Membership | null = null;
  for (const member of members) {
    if (isSameLife(member.person, owner) && member.person.name === owner.name) return member.person;
    if (oldest === null || isOlder(member, oldest)) oldest = member;
  }
  return oldest?.person ?? null;
}

/** Of two that came in the same millisecond every frontend has to name the same. */
function isOlder(one: Membership, other: Membership): boolean {
  return one.at < other.at || (one.at === other.at && one.person.name < other.person.name);
}

/** What somebody is to a room, and how full both are. */
export interface RoomStanding {
  readonly room: Pick<Room, 'policy' | 'owner'>;
  readonly person: Pick<Account, 'name' | 'incarnation'>;
  readonly role: 'owner' | Membership['role'] | null;
  readonly peopleInRoom: number;
  readonly roomsOfPerson: number;
}

/** Why somebody may not do something with a room; each has a code of its own in the protocol. */
export type RoomRefusal = 'NOT_INVITED' | 'NOT_OWNER' | 'ROOM_FULL' | 'TOO_MANY_ROOMS';

/** Why somebody may not come in; null if they may. Who is in it already may. */
export function refusalOfJoin({
  room,
  person,
  role,
  peopleInRoom,
  roomsOfPerson,
}: RoomStanding): RoomRefusal | null {
  if (role === 'owner' || role === 'member') return null;
  // Whose it is may always come in: where a frontend died before it could note them as its first member.
  const isWelcome = room.policy === 'open' || role === 'invited' || isSameLife(room.owner, person);
  if (!isWelcome) return 'NOT_INVITED';
  if (roomsOfPerson >= ROOM_BOUNDS.roomsOfPerson) return 'TOO_MANY_ROOMS';
  // Who is invited has a place already.
  const isFull = role === null && peopleInRoom >= ROOM_BOUNDS.peopleInRoom;
  return isFull ? 'ROOM_FULL' : null;
}

/** The same of what its owner does: to invite, to put out, to change, to delete. */
export function refusalOfOwner({ role }: Pick<RoomStanding, 'role'>): RoomRefusal | null {
  return role === 'owner' ? null : 'NOT_OWNER';
}
