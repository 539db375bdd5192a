import type { Logger } from 'pino';
import { type Account, isSameLife } from '../../../core/accounts.ts';
import { EngineError } from '../../../core/errors.ts';
import type { FollowedRoom, Life, Members, Room, RoomListener, Windows } from '../../../core/rooms.ts';
import { matches } from '../../../core/wildcard.ts';
import type { RecordPlace, TopicRecord, TopicWindow, WindowPreview } from '../../../core/windows.ts';
import { putLast } from '../../../util/bounded-map.ts';
import { Semaphore } from '../../../util/semaphore.ts';
import { uuidKey } from '../../../util/uuid.ts';
import { BadExpression } from '../follow/bad-expression.ts';
import { findPartitions } from '../follow/partitions.ts';
import { previewOf } from '../follow/preview.ts';
import { RecordLines } from '../follow/record-lines.ts';
import type { InboxLease } from '../inbox/inbox-lease.ts';
import type { InboxSurroundings } from '../inbox/inbox-surroundings.ts';
import type { Cluster } from '../wire/cluster.ts';
import { isRefusal, isUnknownTopic, KafkaError, unavailable } from '../wire/kafka-error.ts';
import { now, retry } from '../wire/retry.ts';
import { ChunkCache } from './chunk.ts';
import { enterWindow } from './enter-window.ts';
import { FollowedWindow } from './followed-window.ts';
import { readRecord } from './raw-record.ts';
import { RoomWindow } from './room-window.ts';
import type { TopicPositions } from './topic-positions.ts';
import { TopicWatch } from './topic-watch.ts';
import { windowKey } from './window-position.ts';

const LOOK_TIMEOUT_MS = 5_000;
/** Of all partitions of a topic, each of which costs some requests, together. */
const PREVIEW_TIMEOUT_MS = 10_000;
/** Fetches of a MiB, unpacked to 16 at most, that are made into lines at once. */
const READS_AT_ONCE = 4;
/** Devices of people who came in that are remembered, of up to 1,024 partitions each: it takes seconds until they are followed. */
const MAX_ENTERED = 1_000;

export interface RoomWindowsOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly inboxPrefix: string;
  readonly follow: {
    /** Patterns of the topics that rooms may show. */
    readonly topics: readonly string[];
    /** Records that a room shows in a second at most. */
    readonly perSecond: number;
    /** Who was away is shown what is no older than this, and so many records of a topic. */
    readonly maxAgeMs: number;
    readonly maxRecords: number;
  };
  readonly rooms: { get(name: string): Room | undefined; readonly members: Pick<Members, 'ofPerson'> };
  /** The groups of somebody's devices. */
  readonly groupsOf: (person: Account) => readonly string[];
}

export interface FollowWindowOptions {
  readonly around: Pick<InboxSurroundings, 'isFrontendAlive'>;
  readonly lease: InboxLease;
  readonly room: Room;
  readonly window: TopicWindow;
  /** When they came into the room, and whether that was while they were logged in. */
  readonly at: number;
  readonly cameNow: boolean;
  /** Where the device is in the topic. */
  readonly positions: TopicPositions;
  readonly listener: RoomListener;
  readonly confirmSoon: () => void;
  readonly onLeft: () => void;
}

/** The windows that somebody here is shown, each with its topic looked at once. */
export class RoomWindows implements Windows {
  readonly #options: RoomWindowsOptions;
  readonly #cache = new ChunkCache();
  readonly #reading = new Semaphore(READS_AT_ONCE);
  /** By topic, and by life of the room. */
  readonly #watches = new Map<string, TopicWatch>();
  readonly #windows = new Map<string, RoomWindow>();
  /** Where topics ended for who came into a window on them last, by device and `windowKey`. */
  readonly #entered = new Map<string, ReadonlyMap<number, number>>();

  constructor(options: RoomWindowsOptions) {
    this.#options = options;
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
  }

  /**
   * Looks whether a room may be such a window.
   * @throws EngineError `TOPIC_NOT_ALLOWED`, `BAD_FILTER`, `BAD_TEMPLATE`, `UNAVAILABLE`
   */
  async check(window: TopicWindow): Promise<void> {
    this.#demandAllowed(window.topic);
    await RecordLines.open(window).catch(badExpression);
    await this.#asked(window.topic, () => findPartitions(this.#options.cluster, window.topic));
  }

  /** What the windows are called that somebody is in now. */
  isIn(person: Life): Set<string> {
    const { members } = this.#options.rooms;
    return new Set(members.ofPerson(person, 'member').map(({ room, at }) => windowKey(room, at)));
  }

  follow(options: FollowWindowOptions): FollowedRoom {
    const { room, window, at, listener } = options;
    const { cluster, log, follow } = this.#options;
    if (!this.#isAllowed(window.topic)) {
      listener.onNotice?.({ text: `This server does not show the topic ${window.topic} any more.` });
      return NOTHING;
    }
    const opened = this.#open(room, window);
    const onLeft = () => {
      this.#leave(room, opened);
      options.onLeft();
    };
    const key = windowKey(room, at);
    return new FollowedWindow({
      ...{ ...options, ...follow, cluster, log, onLeft, key, window: opened },
      entered: () => this.#entered.get(`${options.lease.group} ${key}`),
    });
  }

  async enter(room: Room, person: Account, at: number): Promise<void> {
    const { cluster, groupsOf, log } = this.#options;
    const { window } = room;
    if (window === undefined) return;
    const key = windowKey(room, at);
    const groups = groupsOf(person);
    const onEnds = (ends: ReadonlyMap<number, number>) => {
      for (const group of groups) putLast(this.#entered, `${group} ${key}`, ends, MAX_ENTERED);
    };
    const how = { cluster, log, topic: window.topic, key, onEnds };
    await retry(window.topic, now() + LOOK_TIMEOUT_MS, () => enterWindow(how, groups)).catch(
      // What cannot be read is said to whoever is in it.
      (error) => (isOfTopic(error) ? undefined : unavailable(error)),
    );
  }

  async record({ topic }: TopicWindow, place: RecordPlace): Promise<TopicRecord | null> {
    this.#demandAllowed(topic);
    return this.#asked(topic, () => readRecord(this.#options.cluster, topic, place));
  }

  async preview(window: TopicWindow, last: number): Promise<WindowPreview> {
    this.#demandAllowed(window.topic);
    const { cluster } = this.#options;
    const deadline = now() + PREVIEW_TIMEOUT_MS;
    const how = { deadline: () => deadline, onLeftOut: () => {} };
    return this.#asked(window.topic, () => previewOf(cluster, window, last, how)).catch(badExpression);
  }

  // ---- inside

  #open(room: Room, { topic }: TopicWindow): RoomWindow {
    const { cluster, log, follow, rooms } = this.#options;
    const id = uuidKey(room.incarnation);
    const known = this.#windows.get(id);
    if (known !== undefined) return known;
    const watch = this.#watches.get(topic) ?? new TopicWatch(cluster, log, topic, () => this.#watches.size);
    this.#watches.set(topic, watch);
    const opened = new RoomWindow({
      ...{ ...follow, cluster, watch, room, cache: this.#cache, reading: this.#reading },
      current: () => {
        const now = rooms.get(room.name);
        return isSameLife<Room>(now, room) ? now : undefined;
      },
    });
    this.#windows.set(id, opened);
    return opened;
  }

  #leave(room: Room, window: RoomWindow): void {
    if (!window.isUnused) return;
    window.close();
    this.#windows.delete(uuidKey(room.incarnation));
    const { watch } = window;
    if (!watch.isUnused) return;
    watch.close();
    this.#watches.delete(watch.topic);
  }

  #isAllowed(topic: string): boolean {
    const { follow, inboxPrefix } = this.#options;
    const isOurs = topic.startsWith(inboxPrefix) || /^(?:milena[._]|__)/.test(topic);
    return (
      !isOurs &&
      /^[a-zA-Z0-9._-]{1,249}$/.test(topic) &&
      follow.topics.some((pattern) => matches(pattern, topic))
    );
  }

  #demandAllowed(topic: string): void {
    if (!this.#isAllowed(topic))
      throw new EngineError('TOPIC_NOT_ALLOWED', 'This server shows no topic of that name in rooms.');
  }

  /** @throws EngineError `TOPIC_NOT_ALLOWED`, `UNAVAILABLE`; BadExpression */
  #asked<Answer>(topic: string, ask: () => Promise<Answer>): Promise<Answer> {
    return retry(topic, now() + LOOK_TIMEOUT_MS, ask).catch((error: unknown) => {
      if (error instanceof BadExpression) throw error;
      if (!isOfTopic(error)) unavailable(error);
      const why = isUnknownTopic(error)
        ? `There is no topic ${topic}.`
        : `The server may not read the topic ${topic}: it needs the right Read on it.`;
      throw new EngineError('TOPIC_NOT_ALLOWED', why, { cause: error });
    });
  }
}

/** What is followed where nothing may be. */
const NOTHING: FollowedRoom = { acknowledge() {}, pause() {}, resume() {}, leave() {} };

function isOfTopic(error: unknown): boolean {
  return isUnknownTopic(error) || (error instanceof KafkaError && isRefusal(error.kafkaCode));
}

function badExpression(error: unknown): never {
  if (!(error instanceof BadExpression)) throw error;
  const { code, message, line, column } = error;
  const what = code === 'BAD_FILTER' ? 'filter' : 'template';
  throw new EngineError(code, `The ${what}, line ${line}, column ${column}: ${message}`, {
    cause: error,
    place: { line, column },
  });
}
