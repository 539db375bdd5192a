/** What somebody is shown of a topic that others write, whatever its brokers and producers do meanwhile. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { InboxMessage } from '../../src/core/inboxes.ts';
import type { Room } from '../../src/core/rooms.ts';
import type { WindowNotice } from '../../src/core/windows.ts';
import type { InboxLease } from '../../src/storage/kafka/inbox/inbox-lease.ts';
import { ChunkCache } from '../../src/storage/kafka/windows/chunk.ts';
import { FollowedWindow } from '../../src/storage/kafka/windows/followed-window.ts';
import { RoomWindow } from '../../src/storage/kafka/windows/room-window.ts';
import { TopicPositions } from '../../src/storage/kafka/windows/topic-positions.ts';
import { TopicWatch } from '../../src/storage/kafka/windows/topic-watch.ts';
import { encodeWindows, windowKey } from '../../src/storage/kafka/windows/window-position.ts';
import { Semaphore } from '../../src/util/semaphore.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { testLog } from '../kafka/cluster.ts';
import { ForeignTopic } from './foreign-topic.ts';

const DAY_MS = 86_400_000;
const GROUP = 'milena.inbox.anna';

/** A room that shows a topic, on one frontend. */
class World {
  readonly topic: ForeignTopic;
  readonly watch: TopicWatch;
  readonly window: RoomWindow;
  readonly incarnation = newUuid();
  shows: Room['window'] = { topic: 'orders', where: null, as: '{{ value }}' };
  readonly #viewers: Viewer[] = [];

  constructor(topic = new ForeignTopic()) {
    this.topic = topic;
    this.watch = new TopicWatch(topic.cluster, testLog, topic.name);
    const room = { name: '#orders', incarnation: this.incarnation } as unknown as Room;
    this.window = new RoomWindow({
      ...{
        cluster: topic.cluster,
        cache: new ChunkCache(),
        reading: new Semaphore(4),
        watch: this.watch,
        room,
      },
      ...{ perSecond: 1_000, maxAgeMs: DAY_MS },
      current: () => ({ ...room, window: this.shows }),
    });
  }

  /** Somebody who has been in the room, and has acknowledged so much of each partition. */
  acknowledged(at: number, lows: readonly number[], group = GROUP): void {
    const key = windowKey(this, at);
    const { topicId } = this.topic;
    const commits = lows.map(
      (low, partition) => [partition, encodeWindows(new Map([[key, low]]), topicId)] as const,
    );
    this.topic.commits.set(group, new Map(commits));
  }

  login(how: Partial<ConstructorParameters<typeof Viewer>[1]> = {}): Viewer {
    const viewer = new Viewer(this, { at: 1, cameNow: false, group: GROUP, maxRecords: 100_000, ...how });
    this.#viewers.push(viewer);
    return viewer;
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.followed.leave();
    this.window.close();
    this.watch.close();
  }
}

/** A device of somebody who is in the room. */
class Viewer {
  readonly messages: InboxMessage[] = [];
  readonly notices: WindowNotice[] = [];
  readonly positions: TopicPositions;
  readonly followed: FollowedWindow;
  readonly key: string;

  constructor(
    { topic, window, incarnation }: World,
    { at, cameNow, group, maxRecords }: { at: number; cameNow: boolean; group: string; maxRecords: number },
  ) {
    const { cluster } = topic;
    const held = { hasEnded: false, isKnownHeld: true, touch() {}, add() {}, remove() {} };
    const lease = held as unknown as InboxLease;
    this.key = windowKey({ incarnation }, at);
    this.positions = new TopicPositions({ cluster, lease, group, topic: topic.name, isIn: () => true });
    this.followed = new FollowedWindow({
      ...{ cluster, log: testLog, lease, window, positions: this.positions, key: this.key, at, cameNow },
      ...{ maxRecords, maxAgeMs: DAY_MS, around: { isFrontendAlive: () => true } },
      listener: {
        onMessage: (message) => void this.messages.push(message),
        onNotice: (notice) => void this.notices.push(notice),
        onGap: () => expect.fail('a gap'),
      },
      ...{ confirmSoon() {}, onLeft() {} },
    });
  }

  get bodies(): string[] {
    return this.messages.map(({ body }) => Buffer.from(body).toString());
  }

  /** What they have acknowledged of a partition. */
  low(partition = 0): number | undefined {
    return this.positions.get(partition)?.get(this.key);
  }
}

let worlds: World[] = [];
afterEach(() => {
  for (const world of worlds) world.close();
  worlds = [];
});

function newWorld(topic?: ForeignTopic): World {
  const world = new World(topic);
  worlds.push(world);
  return world;
}

const eventually = (look: () => void) => vi.waitFor(look, { timeout: 5_000, interval: 10 });

describe('a record of a topic', () => {
  it('is shown whatever time its producer has given it', async () => {
    const world = newWorld();
    world.topic.write(['none'], { timestamp: 0 });
    world.topic.write(['nanoseconds'], { timestamp: 1_800_000_000_000_000_000 });
    world.acknowledged(1, [0]);
    const anna = world.login();
    await eventually(() => expect(anna.bodies).toEqual(['none', 'nanoseconds']));
    expect(anna.messages.map(({ acceptedAt }) => acceptedAt)).toEqual([0, Number.MAX_SAFE_INTEGER]);
  });
});
