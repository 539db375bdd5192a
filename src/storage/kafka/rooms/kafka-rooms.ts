import type { Logger } from 'pino';
import { type Account, type Accounts, isSameLife, type ListOptions } from '../../../core/accounts.ts';
import { EngineError } from '../../../core/errors.ts';
import type { Accepted, OutgoingMessage } from '../../../core/inboxes.ts';
import type { NewRoom, Room, RoomChange, Rooms } from '../../../core/rooms.ts';
import { NameSearches } from '../../../core/wildcard.ts';
import { placeOf } from '../../../core/windows.ts';
import { newUuid } from '../../../util/uuid.ts';
import { changeSettings } from '../check/topic-settings.ts';
import { readBounds } from '../fetch/log-reader.ts';
import { readCommits } from '../groups/commits.ts';
import { type Commit, Position } from '../groups/position.ts';
import { DeviceGroups } from '../inbox/device-groups.ts';
import { InboxTopics } from '../inbox/inbox-topics.ts';
import { encodeRecord, messageAsStored } from '../inbox/record.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import { CompactedTable } from '../tables/compacted-table.ts';
import { CHANGE_TIMEOUT_MS, Lives } from '../tables/lives.ts';
import { RoomWindows, type RoomWindowsOptions } from '../windows/room-windows.ts';
import { positionIn } from '../windows/window-position.ts';
import type { Cluster } from '../wire/cluster.ts';
import { isUnknownTopic, unavailable } from '../wire/kafka-error.ts';
import { now, retry } from '../wire/retry.ts';
import {
  noRoom,
  ROOM_CONFIG,
  ROOM_PREFIX,
  ROOM_TRANSACTIONS,
  ROOMS_TOPIC,
  roomTopic,
} from '../wire/topics.ts';
import { KafkaMembers } from './kafka-members.ts';
import type { RoomFollowers } from './room-followers.ts';
import { encodeRoom, MAX_ROOM_NAME, packRoom, roomKey, roomName, unpackRoom } from './room-record.ts';

const START_TIMEOUT_MS = 120_000;
const LOOK_TIMEOUT_MS = 5_000;
/** Memberships of a room that is gone, removed at the same time. */
const REMOVALS_AT_ONCE = 100;

export interface KafkaRoomsOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly trust: Trust;
  readonly appender: Pick<Appender, 'append'>;
  readonly accounts: Pick<Accounts, 'get'>;
  readonly inboxPrefix: string;
  readonly replicationFactor: number;
  /** Who follows which room here. */
  readonly roomFollowers: RoomFollowers;
  readonly follow: RoomWindowsOptions['follow'];
}

/** The rooms, in a compacted topic, each with a topic of its own for what is said in it. */
export class KafkaRooms implements Rooms {
  readonly members: KafkaMembers;
  readonly windows: RoomWindows;
  readonly #options: KafkaRoomsOptions;
  readonly #table: CompactedTable<Room>;
  readonly #searches: NameSearches;
  readonly #lives: Lives<Room>;
  readonly #groups: DeviceGroups;

  constructor(options: KafkaRoomsOptions) {
    const { cluster, replicationFactor } = options;
    this.#options = options;
    this.#groups = new DeviceGroups(options);
    this.#table = new CompactedTable({
      ...options,
      topic: ROOMS_TOPIC,
      pack: packRoom,
      unpack: unpackRoom,
      changed: (key, ...packed) => this.#changed(key, packed),
      encode: encodeRoom,
    });
    this.#lives = new Lives({
      ...options,
      table: this.#table,
      topics: new InboxTopics(cluster, replicationFactor, ROOM_CONFIG),
      topicPrefix: ROOM_PREFIX,
      transactionPrefix: ROOM_TRANSACTIONS,
      keyOf: roomKey,
      codes: { taken: 'ROOM_TAKEN', gone: 'NO_SUCH_ROOM' },
    });
    this.#searches = new NameSearches(this.#table.keys, MAX_ROOM_NAME);
    this.members = new KafkaMembers({ ...options, roomOf: (name) => this.get(name) });
    const groupsOf = (person: Account) => this.#groups.all(person).map(({ group }) => group);
    this.windows = new RoomWindows({ ...options, rooms: this, groupsOf });
  }

  /** Makes both topics if need be and reads all of them. @throws EngineError `UNAVAILABLE` */
  async start(): Promise<void> {
    const deadline = now() + START_TIMEOUT_MS;
    const { replicationFactor } = this.#options;
    await Promise.all([this.#table.open(replicationFactor, deadline), this.members.start(deadline)]);
    this.#table.putInOrder();
  }

  async close(): Promise<void> {
    this.windows.close();
    await Promise.all([this.#table.close(), this.members.close()]);
  }

  get size(): number {
    return this.#table.contents.size;
  }

  get(name: string): Room | undefined {
    return this.#table.get(roomKey(name));
  }

  async find(name: string): Promise<Room | undefined> {
    return this.get(name) ?? this.findEvenly(name);
  }

  async findEvenly(name: string): Promise<Room | undefined> {
    await this.#table.catchUpSoon().catch(unavailable);
    return this.get(name);
  }

  async list(pattern: string, { after, limit, inSteps }: ListOptions = {}): Promise<string[]> {
    const from = after === undefined ? undefined : roomKey(after);
    const found = await this.#searches.find(pattern, from, limit ?? Number.POSITIVE_INFINITY, inSteps);
    return found.map(roomName);
  }

  async create(wanted: NewRoom): Promise<Room> {
    // A taken name is refused whatever it is to show.
    if (wanted.window !== undefined && this.get(wanted.name) === undefined)
      await this.windows.check(wanted.window);
    const roomOf = (topicId: string): Room => ({
      ...wanted,
      incarnation: newUuid(),
      topicId,
      createdAt: Date.now(),
    });
    const { value, topic } = await this.#lives.create(wanted.name, roomOf, () => {});
    if (String(value.retentionMs) !== ROOM_CONFIG['retention.ms'])
      await this.#keepFor(topic, value.retentionMs, now() + CHANGE_TIMEOUT_MS).catch(unavailable);
    return value;
  }

  async update(room: Room, change: RoomChange): Promise<Room> {
    if (change.window !== undefined) await this.windows.check(change.window);
    return this.#lives.change(room.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      const changed = async (current: Room): Promise<Room> => {
        const { retentionMs = current.retentionMs } = change;
        // First the topic: what the record says is true of it then.
        if (retentionMs !== current.retentionMs)
          await this.#keepFor(this.#lives.topicOf(room.name), retentionMs, deadline);
        return { ...current, ...change };
      };
      await this.#lives.replace(room, changed, deadline);
      return this.#lives.shown(room);
    });
  }

  async remove(room: Room): Promise<void> {
    await this.#lives.remove(room);
    // They count for nothing any more: only room is made. Whoever comes in after this finds that the room is gone.
    const left = await this.members.everybody(room).catch(() => []);
    for (let at = 0; at < left.length; at += REMOVALS_AT_ONCE) {
      const some = left.slice(at, at + REMOVALS_AT_ONCE);
      await Promise.allSettled(some.map((member) => this.members.remove(member)));
    }
  }

  async append(to: Room, message: OutgoingMessage): Promise<Accepted> {
    const { trust, appender, roomFollowers } = this.#options;
    const record = encodeRecord(trust.signer, to, message, new Date(trust.clock.now()));
    try {
      const accepted = await appender.append(roomTopic(to), record, to.topicId);
      trust.recent.note(record.signature, accepted.offset);
      roomFollowers.handOver(to.topicId, () => messageAsStored(message, accepted), accepted.epoch);
      return accepted;
    } catch (error) {
      if (error instanceof EngineError && error.code === 'NO_INBOX') noRoom(to, error);
      throw error;
    }
  }

  /** By the commits of all their devices, many in one request. */
  async having(room: Room, offset: number, people: readonly Account[]): Promise<boolean[]> {
    const log = logOf(room, offset);
    const asked = people.map((account) => this.#groups.all(account).map(({ group }) => ({ group, ...log })));
    const deadline = now() + LOOK_TIMEOUT_MS;
    const commits = await readCommits(this.#options.cluster, asked.flat(), deadline).catch(unavailable);
    let at = 0;
    return asked.map((groups) =>
      // All of them are looked at, so that the next one's begin where these end.
      groups.map(() => hasIt(commits[at++] ?? null, room, offset)).includes(true),
    );
  }

  async bounds(room: Room): Promise<{ start: number; end: number }> {
    const topic = this.#lives.topicOf(room.name);
    try {
      const { start, end } = await readBounds(this.#options.cluster, topic, now() + LOOK_TIMEOUT_MS);
      return { start, end };
    } catch (error) {
      return isUnknownTopic(error) ? noRoom(room, error) : unavailable(error);
    }
  }

  /** Who is in a room that has come or gone hears of that: the two tables are read each by itself. */
  #changed(key: string, packed: readonly (string | null)[]): void {
    const [after, before] = packed.map((text) => (text === null ? undefined : unpackRoom(key, text)));
    if (after !== undefined && isSameLife(before, after)) return;
    for (const room of [before, after]) if (room !== undefined) this.members.roomChanged(room);
  }

  async #keepFor(topic: string, retentionMs: number, deadline: number): Promise<void> {
    const settings = { 'retention.ms': String(retentionMs) };
    const failed = await retry(`settings of ${topic}`, deadline, () =>
      changeSettings(this.#options.cluster, [topic], settings),
    );
    for (const error of failed.values()) throw error;
  }
}

/** Where what an offset names lies: of a window in another topic. */
function logOf(room: Room, offset: number): { readonly topic: string; readonly partition: number } {
  const { window } = room;
  return window === undefined
    ? { topic: roomTopic(room), partition: 0 }
    : { topic: window.topic, partition: placeOf(offset).partition };
}

/** Whether a commit of this life of the room says that a message was acknowledged. */
function hasIt(commit: Commit | null, room: Room, offset: number): boolean {
  if (room.window !== undefined) return commit !== null && positionIn(commit, room) > placeOf(offset).offset;
  const position = commit && Position.decode(commit, room.incarnation);
  return position?.delivered.has(offset) === true && !position.gone.has(offset);
}
