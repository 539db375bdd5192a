import type { ServerFrameOf } from '../protocol/v2/replies.ts';
import type { RequestOf } from '../protocol/v2/requests.ts';
import type { ServerConnection } from './connection.ts';
import { pageByPage } from './page-by-page.ts';
import type { ReplyTo, RequestType } from './replies.ts';
import { hex } from './seen.ts';
import { type Abortable, whileWanted } from './with-signal.ts';

/** A room as it is to the account. */
export interface AccountRoom {
  /** With its `#`. */
  readonly name: string;
  /** Of this life of the room, in hex: one that is deleted and made again has another one. */
  readonly incarnation: string;
  /** Who may join: everybody, or whom the owner has invited. */
  readonly policy: 'open' | 'invited';
  /** Perhaps empty; as it came: not safe for a terminal. */
  readonly description: string;
  /** For so many milliseconds messages are kept. */
  readonly retentionMs: number;
  /** So many messages from before may somebody have who joins. */
  readonly history: number;
  /** How many are in it. */
  readonly members: number;
  /** Null: nobody is in it. */
  readonly owner: string | null;
  /** What the account is to it; null: nothing. */
  readonly role: 'owner' | 'member' | 'invited' | null;
  /** Of who is in it: the first `seq` that is for them; 0 where it shows a topic. */
  readonly since: number | null;
  /** The topic that it shows; null: it is a room of people. */
  readonly topic: string | null;
  /** Of such a room: which records it shows, and as what; null: all, each as it is. As they came: not safe for a terminal. */
  readonly where: string | null;
  readonly as: string | null;
}

/**
 * What an owner says of a room; what is absent stays, or is as the server has it. `where` and `as` are for rooms that show a topic,
 * empty ones mean none; the server refuses `retentionMs` and `history` there.
 */
export type RoomSettings = Partial<
  Pick<AccountRoom, 'policy' | 'description' | 'retentionMs' | 'history'>
> & {
  readonly where?: string;
  readonly as?: string;
};

/** What a room is made of: with `topic` it shows the records of that. */
export type NewRoomSettings = RoomSettings & { readonly topic?: string };

/** A record as it lies in a topic. Bytes as they came: not safe for a terminal. */
export interface RoomRecord {
  /** Milliseconds since the epoch, as the topic keeps it. */
  readonly time: number;
  /** The first 1,024 bytes, and how many there are. */
  readonly key: Uint8Array | null;
  readonly keyBytes: number;
  /** The first 262,144 bytes, and how many there are. */
  readonly value: Uint8Array | null;
  readonly valueBytes: number;
  /** The first 64, with the first 1,024 bytes of their values. */
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[];
}

/** What a room would show of a topic. */
export interface RoomPreview {
  readonly lines: readonly {
    readonly partition: number;
    readonly offset: number;
    readonly time: number;
    /** As it came: not safe for a terminal. */
    readonly text: string;
    /** Why that is the record as it is. */
    readonly note: string | null;
  }[];
  /** Records that were looked at, and of them left out. */
  readonly looked: number;
  readonly leftOut: number;
  /** Why the room would be paused there. */
  readonly paused: string | null;
}

/** Who has a message of a room: of those whose it is, who has acknowledged it. */
export interface RoomHolders {
  readonly members: number;
  readonly having: number;
  /** Who has not: the first 100 names, in byte order. */
  readonly missing: readonly string[];
}

/** Carries out what asks the server; rejects instead of throwing. */
type Attempt = <Value>(asking: () => Promise<Value>, signal?: AbortSignal) => Promise<Value>;

/** What an account asks about rooms, by their names with the `#`. Each throws ClientError, `OFFLINE` without a connection. */
export class RoomRequests {
  readonly #online: () => ServerConnection;
  readonly #attempt: Attempt;

  /** @param online the connection that requests go to; it throws ClientError `OFFLINE` where there is none */
  constructor(
    online: () => ServerConnection,
    attempt: Attempt = (asking, signal) => whileWanted(signal, asking),
  ) {
    this.#online = online;
    this.#attempt = attempt;
  }

  /** The same, asked in that way. */
  by(attempt: Attempt): RoomRequests {
    return new RoomRequests(this.#online, attempt);
  }

  /**
   * Makes a room, whose owner and first member the account is. `REFUSED` with ROOM_TAKEN, TOO_MANY_ROOMS; where it is to show a topic
   * with TOPIC_NOT_ALLOWED, BAD_FILTER, BAD_TEMPLATE.
   */
  async create(
    room: string,
    settings: NewRoomSettings = {},
    { signal }: Abortable = {},
  ): Promise<AccountRoom> {
    return roomOf(await this.#ask({ ...settings, type: 'room-create', room }, signal));
  }

  /** As its owner. */
  async set(room: string, settings: RoomSettings, { signal }: Abortable = {}): Promise<AccountRoom> {
    return roomOf(await this.#ask({ ...settings, type: 'room-set', room }, signal));
  }

  /** As its owner, who stays a member: somebody else in the room has the say from now on. */
  async makeOwner(room: string, name: string, { signal }: Abortable = {}): Promise<AccountRoom> {
    return roomOf(await this.#ask({ type: 'room-set', room, owner: name }, signal));
  }

  /** As its owner: the room and all that was said in it. `REFUSED` with HAS_MEMBERS where others are in it, unless `force`. */
  async delete(
    room: string,
    { force = false, signal }: Abortable & { readonly force?: boolean } = {},
  ): Promise<void> {
    await this.#ask({ type: 'room-delete', room, ...(force && { force }) }, signal);
  }

  /**
   * What is said there comes from now on. `REFUSED` with NO_SUCH_ROOM, NOT_INVITED, ROOM_FULL, TOO_MANY_ROOMS.
   * @param back so many messages from before, as far as the room allows it
   */
  async join(
    room: string,
    { back, signal }: Abortable & { readonly back?: number | undefined } = {},
  ): Promise<AccountRoom> {
    return roomOf(await this.#ask({ type: 'join', room, ...(back !== undefined && { back }) }, signal));
  }

  /** Is in it no more, or does not take an invitation. */
  async leave(room: string, { signal }: Abortable = {}): Promise<void> {
    await this.#ask({ type: 'leave', room }, signal);
  }

  /** As its owner: somebody may join. */
  async invite(room: string, name: string, { signal }: Abortable = {}): Promise<void> {
    await this.#ask({ type: 'invite', room, name }, signal);
  }

  /** As its owner: puts somebody out, or takes an invitation back. */
  async kick(room: string, name: string, { signal }: Abortable = {}): Promise<void> {
    await this.#ask({ type: 'kick', room, name }, signal);
  }

  /**
   * Rooms that match, in byte order; page after page is asked for as they are read.
   * @param pattern with the `#` or without it; `*` is any run of characters, `?` any one; all unless it is given
   * @param mine only those that the account is in, or invited to
   */
  list(
    pattern = '',
    { mine = false, signal }: Abortable & { readonly mine?: boolean } = {},
  ): AsyncGenerator<AccountRoom, void> {
    return pageByPage(async (after) => {
      const request = { type: 'rooms', pattern, mine, ...(after !== undefined && { after }) } as const;
      const { rooms, more } = await this.#ask(request, signal);
      return { items: rooms.map(roomOf), last: rooms.at(-1)?.room, more };
    });
  }

  /** The room of that name, or null. */
  async find(room: string, { signal }: Abortable = {}): Promise<AccountRoom | null> {
    const { rooms } = await this.#ask({ type: 'rooms', pattern: room, limit: 1 }, signal);
    const found = rooms.find(({ room: name }) => name === room.toLowerCase());
    return found === undefined ? null : roomOf(found);
  }

  /** Names of those who are in it, in byte order, as whoever is in it may know. @param invited those who are invited instead */
  members(
    room: string,
    { invited = false, signal }: Abortable & { readonly invited?: boolean } = {},
  ): AsyncGenerator<string, void> {
    return pageByPage(async (after) => {
      const request = { type: 'members', room, invited, ...(after !== undefined && { after }) } as const;
      const { members: items, more } = await this.#ask(request, signal);
      return { items, last: items.at(-1), more };
    });
  }

  /** Who has a message of the room, by its `seq`. */
  async holders(room: string, seq: number, { signal }: Abortable = {}): Promise<RoomHolders> {
    const { members, having, missing } = await this.#ask({ type: 'holders', room, seq }, signal);
    return { members, having, missing };
  }

  /** A record of the topic that a room shows, as it lies there; null where none does. */
  async raw(
    room: string,
    { partition, offset }: { readonly partition: number; readonly offset: number },
    { signal }: Abortable = {},
  ): Promise<RoomRecord | null> {
    const { record } = await this.#ask({ type: 'raw', room, partition, offset }, signal);
    if (record === undefined) return null;
    const { time, headers, key = null, value = null } = record;
    const { keyBytes = key?.length ?? 0, valueBytes = value?.length ?? 0 } = record;
    return { time, key, keyBytes, value, valueBytes, headers };
  }

  /**
   * What a room would show of the newest records of a topic, all partitions together: none is made. `REFUSED` with TOPIC_NOT_ALLOWED,
   * BAD_FILTER, BAD_TEMPLATE.
   * @param last how many records are looked at, up to 100; 20 unless it is given
   */
  async preview(
    topic: string,
    {
      where,
      as,
      last,
      signal,
    }: Abortable & Pick<RoomSettings, 'where' | 'as'> & { readonly last?: number } = {},
  ): Promise<RoomPreview> {
    const {
      lines,
      looked,
      leftOut,
      paused = null,
    } = await this.#ask(
      {
        ...{ type: 'preview', topic },
        ...(where !== undefined && { where }),
        ...(as !== undefined && { as }),
        ...(last !== undefined && { last }),
      },
      signal,
    );
    return { lines: lines.map(({ note = null, ...line }) => ({ ...line, note })), looked, leftOut, paused };
  }

  #ask<Type extends RequestType>(
    request: RequestOf<Type> & { readonly type: Type },
    signal: AbortSignal | undefined,
  ): Promise<ReplyTo<Type>> {
    return this.#attempt(async (): Promise<ReplyTo<Type>> => this.#online().ask<Type>(request), signal);
  }
}

function roomOf(info: Omit<ServerFrameOf<'joined'>, 'type'>): AccountRoom {
  const { room, incarnation, policy, description, retentionMs, history, members } = info;
  const { owner = null, role = null, since = null, topic = null, where = null, as = null } = info;
  return {
    ...{ name: room, incarnation: hex(incarnation), policy, description, retentionMs, history, members },
    ...{ owner, role, since, topic, where, as },
  };
}
