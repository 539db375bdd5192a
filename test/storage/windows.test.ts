/** What somebody is shown of a topic that others write, whatever its brokers and producers do meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { InboxMessage } from '../../src/core/inboxes.ts';
import type { Room } from '../../src/core/rooms.ts';
import type { WindowNotice } from '../../src/core/windows.ts';
import type { InboxLease } from '../../src/storage/kafka/inbox/inbox-lease.ts';
import { ChunkCache } from '../../src/storage/kafka/windows/chunk.ts';
import { enterWindow } from '../../src/storage/kafka/windows/enter-window.ts';
import { FollowedWindow } from '../../src/storage/kafka/windows/followed-window.ts';
import { RoomWindow } from '../../src/storage/kafka/windows/room-window.ts';
import { TopicPositions } from '../../src/storage/kafka/windows/topic-positions.ts';
import { TopicWatch } from '../../src/storage/kafka/windows/topic-watch.ts';
import { encodeWindows, windowKey } from '../../src/storage/kafka/windows/window-position.ts';
import { KafkaCode, KafkaError } from '../../src/storage/kafka/wire/kafka-error.ts';
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

  constructor(topic = new ForeignTopic(), perSecond = 1_000) {
    this.topic = topic;
    this.watch = new TopicWatch(topic.cluster, testLog, topic.name, () => 1);
    const room = { name: '#orders', incarnation: this.incarnation } as unknown as Room;
    this.window = new RoomWindow({
      ...{
        cluster: topic.cluster,
        cache: new ChunkCache(),
        reading: new Semaphore(4),
        watch: this.watch,
        room,
      },
      ...{ perSecond, maxAgeMs: DAY_MS },
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
    {
      at,
      cameNow,
      entered,
      group,
      maxRecords,
    }: { at: number; cameNow: boolean; entered?: readonly number[]; group: string; maxRecords: number },
  ) {
    const { cluster } = topic;
    const held = { hasEnded: false, isKnownHeld: true, touch() {}, add() {}, remove() {} };
    const lease = held as unknown as InboxLease;
    this.key = windowKey({ incarnation }, at);
    this.positions = new TopicPositions({
      cluster,
      lease,
      group,
      topic: topic.name,
      isIn: () => new Set([this.key]),
    });
    this.followed = new FollowedWindow({
      ...{ cluster, log: testLog, lease, window, positions: this.positions, key: this.key, at, cameNow },
      ...{ maxRecords, maxAgeMs: DAY_MS, around: { isFrontendAlive: () => true } },
      listener: {
        onMessage: (message) => void this.messages.push(message),
        onNotice: (notice) => void this.notices.push(notice),
        onGap: () => expect.fail('a gap'),
      },
      ...{ confirmSoon() {}, onLeft() {}, entered: () => entered && new Map(entered.entries()) },
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
  vi.restoreAllMocks();
  for (const world of worlds) world.close();
  worlds = [];
});

function newWorld(topic?: ForeignTopic, perSecond?: number): World {
  const world = new World(topic, perSecond);
  worlds.push(world);
  return world;
}

const eventually = (look: () => void) => vi.waitFor(look, { timeout: 5_000, interval: 10 });

/** So much more time has passed, by the clock that intervals are measured on. */
function later(ms: number): void {
  const clock = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => clock() + ms);
}

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

/** A broker that takes a kind of request and does not answer it until it is let. */
function mute(topic: ForeignTopic, what: string): () => void {
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  topic.before.set(what, () => asked);
  return () => {
    topic.before.delete(what);
    answer();
  };
}

describe('where somebody is in a topic', () => {
  it('stays while it is not known yet where the topic ends', async () => {
    const topic = new ForeignTopic();
    topic.write(Array.from({ length: 50 }, (_, n) => `${n}`));
    const answer = mute(topic, 'ends 1');
    const world = newWorld(topic);
    world.acknowledged(1, [48]);
    const anna = world.login();
    await sleep(100);
    anna.followed.resume();
    await sleep(100);
    expect(anna.low()).toBeUndefined();
    answer();
    await eventually(() => expect(anna.bodies).toEqual(['48', '49']));
  });

  it('is where the topic ended when they came in, however late it is looked at', async () => {
    const world = newWorld();
    world.topic.write(['before']);
    const end = world.topic.write(['meanwhile']);
    await eventually(() => expect(world.watch.partitions.get(0)?.end).toBe(2));
    const here = world.login({ at: Date.now(), cameNow: true, entered: [end] });
    await eventually(() => expect(here.bodies).toEqual(['meanwhile']));
  });

  it('is found by the time at which they came in, where that was through another server', async () => {
    const world = newWorld();
    const at = Date.now();
    world.topic.write(['before'], { timestamp: at - 1 });
    world.topic.write(['meanwhile'], { timestamp: at });
    await eventually(() => expect(world.watch.partitions.get(0)?.end).toBe(2));
    const there = world.login({ at, cameNow: true });
    await eventually(() => expect(there.bodies).toEqual(['meanwhile']));
    // From then on whatever comes is theirs.
    world.topic.write(['late'], { timestamp: 1 });
    await eventually(() => expect(there.bodies).toEqual(['meanwhile', 'late']));
  });

  it('is where the log was cut, which is said', async () => {
    const world = newWorld();
    world.topic.write(['a', 'b', 'c']);
    world.acknowledged(1, [0]);
    const anna = world.login();
    await eventually(() => expect(anna.bodies).toEqual(['a', 'b', 'c']));
    world.topic.cut(1);
    await eventually(() =>
      expect(anna.notices.map(({ text }) => text).join()).toContain('orders/0, from offset 1 on'),
    );
    world.topic.write(['B']);
    await eventually(() => expect(anna.bodies).toEqual(['a', 'b', 'c', 'B']));
    const later = world.login({ group: 'milena.inbox.anna.phone' });
    await eventually(() => expect(later.bodies).toEqual(['a', 'B']));
  });

  it('is not in front of what they have not been told of', async () => {
    const world = newWorld(new ForeignTopic(), 2);
    world.acknowledged(1, [0]);
    const anna = world.login();
    await eventually(() => expect(anna.low()).toBe(0));
    world.topic.write(['a', 'b', 'c', 'd']);
    await eventually(() => expect(anna.bodies).toEqual(['a', 'b']));
    anna.followed.acknowledge(0, Number.MAX_SAFE_INTEGER);
    expect([anna.low(), anna.notices.length]).toEqual([2, 0]);
    await eventually(() =>
      expect(anna.notices[0]).toMatchObject({ records: 2, from: { partition: 0, offset: 2 } }),
    );
    expect(anna.low()).toBe(4);
  });

  it('is asked for with pauses, where that is refused', async () => {
    const topic = new ForeignTopic([1]);
    const world = newWorld(topic);
    world.acknowledged(1, [0]);
    const anna = world.login();
    await eventually(() => expect(anna.low()).toBe(0));
    let tries = 0;
    topic.before.set('positions coordinator', async () => {
      tries += 1;
      throw new KafkaError('OffsetFetch', KafkaCode.NOT_COORDINATOR);
    });
    topic.partitions.push({ leader: 1, start: 0, batches: [] });
    world.watch.doubt();
    await eventually(() => expect(tries).toBeGreaterThan(0));
    await sleep(600);
    expect(tries).toBeLessThan(6);
  });
});

describe('of a topic', () => {
  it('all is shown that is led by brokers that answer', async () => {
    const topic = new ForeignTopic([1, 2, -1]);
    for (const partition of [0, 1, 2]) topic.write([`${partition}`], { partition });
    const answer = mute(topic, 'ends 2');
    const world = newWorld(topic);
    world.acknowledged(1, [0, 0, 0]);
    const anna = world.login();
    await eventually(() => expect(anna.bodies).toEqual(['0']));
    await sleep(300);
    later(6_000);
    await eventually(() =>
      expect(anna.notices.map(({ text }) => text).join()).toContain('orders/1, orders/2'),
    );
    answer();
    topic.partitions[2] = {
      ...topic.partitions[2],
      leader: 1,
      start: 0,
      batches: topic.partitions[2]?.batches ?? [],
    };
    world.watch.doubt();
    await eventually(() => expect(anna.bodies.toSorted()).toEqual(['0', '1', '2']));
    await eventually(() => expect(anna.notices.at(-1)?.text).toBe('The topic orders is read again.'));
  });

  it('who comes in begins at the ends that are told', async () => {
    const topic = new ForeignTopic([1, 2, -1]);
    for (const partition of [0, 1, 2]) topic.write(['x'], { partition });
    topic.before.set('ends 2', () =>
      Promise.reject(new KafkaError('ListOffsets', KafkaCode.NOT_LEADER_OR_FOLLOWER)),
    );
    const found: ReadonlyMap<number, number>[] = [];
    const how = { cluster: topic.cluster, log: testLog, topic: topic.name, key: 'AAAAAAAAAAAAAAAAAAAAAA.1' };
    await enterWindow({ ...how, onEnds: (ends) => void found.push(ends) }, [GROUP]);
    expect(found).toEqual([new Map([[0, 1]])]);
    expect(
      [...(topic.commits.get(GROUP) ?? [])].map(([partition, { offset }]) => [partition, offset]),
    ).toEqual([[0, 1]]);
  });

  it('nothing is shown while the filter cannot be read, whoever comes, and it is read again', async () => {
    const world = newWorld();
    world.shows = { topic: 'orders', where: 'value.', as: null };
    world.acknowledged(1, [0]);
    world.topic.write(['a']);
    const anna = world.login();
    await eventually(() => expect(anna.notices[0]?.text).toContain('cannot be read'));
    later(70_000);
    await eventually(() =>
      expect(anna.notices.filter(({ text }) => text.includes('cannot be read'))).toHaveLength(2),
    );
    const late = world.login();
    await eventually(() => expect(late.notices[0]?.text).toContain('cannot be read'));
  });

  it('a stretch is looked at once for all who are there', async () => {
    const world = newWorld();
    world.topic.write(['a', 'b']);
    world.acknowledged(1, [0]);
    const all = Array.from({ length: 20 }, () => world.login());
    await eventually(() => expect(all.every(({ bodies }) => bodies.length === 2)).toBe(true));
    world.topic.write(['c']);
    await eventually(() => expect(all.every(({ bodies }) => bodies.join('') === 'abc')).toBe(true));
    expect(world.topic.asked.get('fetch')).toBeLessThanOrEqual(3);
  });
});
