/*
 * Several who follow one log: whoever comes, rests, goes, is moved back, or has the newest from elsewhere, each gets every record from
 * its place on, once and in order; and however many there are, the fetcher is asked for one of them.
 */
import fc from 'fast-check';
import { describe, expect, it, test, vi } from 'vitest';
import { Feeds, feedsOf, READS_AT_ONCE } from '../../src/storage/kafka/fetch/feeds.ts';
import type { Follower, Subscription } from '../../src/storage/kafka/fetch/fetcher.ts';
import type { LogPosition } from '../../src/storage/kafka/fetch/log-reader.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import type { ReadRecords } from '../../src/storage/kafka/wire/fetched-records.ts';
import { KafkaCode, KafkaError } from '../../src/storage/kafka/wire/kafka-error.ts';
import type { RawRecord } from '../../src/storage/kafka/wire/log-batch.ts';
import { Semaphore } from '../../src/util/semaphore.ts';
import { runs } from './checking.ts';

const TOPIC = { topic: 'log', topicId: 'id' };
const EPOCH = 3;

/** One log, its feeds, and the fetcher's end of them: the test says when what comes. */
class World {
  end = 0;
  /** What the log begins with. */
  start = 0;
  tails: { follower: Follower; position: number }[] = [];
  /** Reads that are under way. */
  reads: (() => void)[] = [];
  readonly feeds: Feeds;

  constructor() {
    const gate = new Semaphore(READS_AT_ONCE);
    this.feeds = new Feeds({
      gateOf: () => gate,
      fetcher: { follow: (follower, place) => this.#follow(follower, place), pace: { unpacked: () => null } },
      read: (_, { offset }) =>
        new Promise((resolve, reject) => {
          this.reads.push(() => {
            if (offset < this.start) reject(new KafkaError('Fetch', KafkaCode.OFFSET_OUT_OF_RANGE));
            else resolve(this.#read(offset, Math.min(this.end, offset + 3)));
          });
        }),
    });
  }

  followAt(follower: Follower): Subscription {
    return this.#follow(follower, { offset: 1_000, epoch: EPOCH });
  }

  #follow(follower: Follower, { offset: position }: LogPosition): Subscription {
    const tail: { follower: Follower; position: number } & Subscription = {
      ...{ follower, position },
      advance: (reached) => {
        tail.position = Math.max(tail.position, reached);
      },
      moveTo: ({ offset }) => {
        tail.position = offset;
      },
      close: () => {
        this.tails = this.tails.filter((other) => other !== tail);
      },
    };
    this.tails.push(tail);
    return tail;
  }

  #read(from: number, end: number): ReadRecords {
    const records = Array.from({ length: Math.max(0, end - from) }, (_, i) => {
      return { offset: from + i, leaderEpoch: EPOCH } as RawRecord;
    });
    const epoch = records.length > 0 ? EPOCH : -1;
    return {
      records,
      markers: [],
      lost: [],
      nextOffset: Math.max(from, end),
      epoch,
      unpackCost: 0,
      damage: null,
    };
  }

  /** The fetcher brings something. */
  fetch(most: number): void {
    for (const tail of this.tails) {
      const { records, nextOffset } = this.#read(tail.position, Math.min(this.end, tail.position + most));
      if (records.length === 0) continue;
      tail.position = nextOffset;
      tail.follower.onRecords(records, nextOffset, EPOCH, [], []);
    }
  }

  /** All reads that are under way are answered, and what comes of that. */
  async answer(): Promise<void> {
    for (const read of this.reads.splice(0)) read();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** One who follows: what comes has to be what is next. */
class Reader {
  next = 0;
  isOut = false;
  #subscription: Subscription | null = null;
  readonly #world: World;
  readonly #follower: Follower;

  readonly #whom: string;

  constructor(world: World, whom = 'anna') {
    this.#world = world;
    this.#whom = whom;
    const fail = () => expect.fail('not asked for');
    this.#follower = {
      ...TOPIC,
      onRecords: (records, nextOffset) => {
        for (const { offset } of records) {
          if (offset < this.next) continue;
          expect(offset).toBe(this.next);
          this.next = offset + 1;
        }
        if (nextOffset > this.next) expect.fail(`${nextOffset} is next, not ${this.next}`);
      },
      onGone: fail,
      onParted: fail,
      onOutOfRange: () => {
        this.#subscription = null;
        this.isOut = true;
      },
    };
  }

  get isFollowing(): boolean {
    return this.#subscription !== null;
  }

  follow(epoch = EPOCH): void {
    this.#subscription ??= this.#world.feeds.follow(this.#follower, { offset: this.next, epoch }, this.#whom);
  }

  rest(): void {
    this.#subscription?.close();
    this.#subscription = null;
  }

  /** The newest record comes from elsewhere. */
  handOver(offset: number): void {
    if (this.#subscription === null || this.next !== offset) return;
    this.next = offset + 1;
    this.#subscription.advance(this.next);
  }

  moveBack(by: number): void {
    if (this.#subscription === null) return;
    this.next = Math.max(0, this.next - by);
    this.#subscription.moveTo({ offset: this.next, epoch: -1 });
  }
}

const reader = fc.nat(3);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('append' as const), handed: fc.array(reader) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('fetch' as const), most: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('answer' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('follow' as const), reader, epoch: fc.constantFrom(-1, EPOCH) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('rest' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('back' as const), reader, by: fc.nat(5) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

async function play(steps: readonly Step[]): Promise<void> {
  const world = new World();
  const readers = Array.from({ length: 4 }, () => new Reader(world));
  const at = (index: number): Reader => readers[index] ?? expect.fail('there are four');
  for (const one of steps) {
    if (one.type === 'append') {
      const offset = world.end++;
      for (const index of new Set(one.handed)) at(index).handOver(offset);
    } else if (one.type === 'fetch') world.fetch(one.most);
    else if (one.type === 'answer') await world.answer();
    else if (one.type === 'follow') at(one.reader).follow(one.epoch);
    else if (one.type === 'rest') at(one.reader).rest();
    else at(one.reader).moveBack(one.by);
    expect(world.tails.length).toBeLessThanOrEqual(1);
    if (!readers.some(({ isFollowing }) => isFollowing)) expect(world.tails).toEqual([]);
  }
  for (const each of readers) each.follow();
  for (let round = 0; round < world.end + 20; round++) {
    world.fetch(4);
    await world.answer();
  }
  expect(readers.map(({ next }) => next)).toEqual(readers.map(() => world.end));
  // All are together by now.
  expect([world.tails.length, world.reads.length]).toEqual([1, 0]);
  for (const each of readers) each.rest();
  expect(world.tails).toEqual([]);
}

test('each gets every record once and in order, whatever the others do', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), play), runs(60));
});

describe('a feed', () => {
  it('lets nobody wait for one who is far behind', async () => {
    const world = new World();
    world.end = 1_000;
    const [quick, slow] = [new Reader(world), new Reader(world)];
    slow.follow();
    quick.next = 1_000;
    quick.follow();
    world.end = 1_001;
    world.fetch(4);
    expect([quick.next, slow.next]).toEqual([1_001, 0]);
    await world.answer();
    await world.answer();
    expect(slow.next).toBeGreaterThan(0);
    expect(world.tails).toHaveLength(1);
  });

  it('has so many reads under way at once, in turn for whom they are, and none for who rests again', async () => {
    const world = new World();
    world.end = 1_000;
    const ahead = new Reader(world);
    ahead.next = 1_000;
    ahead.follow();
    const slow = Array.from({ length: 3 * READS_AT_ONCE }, () => new Reader(world));
    for (const each of slow) each.follow();
    const other = new Reader(world, 'bert');
    other.follow();
    expect(world.reads).toHaveLength(READS_AT_ONCE);
    await world.answer();
    expect(world.reads).toHaveLength(READS_AT_ONCE);
    for (const each of slow) each.rest();
    await world.answer();
    expect(other.next).toBeGreaterThan(0);
    await world.answer();
    expect(world.reads).toHaveLength(1);
  });

  it('waits for no broker that is mute but where it leads the topic', async () => {
    const cluster = new Cluster({ bootstrap: [], clientId: 'test' });
    const leaderOf = (topic: string) => {
      return { node: topic === 'elsewhere' ? 2 : 1, epoch: EPOCH, topicId: topic };
    };
    vi.spyOn(cluster, 'knownLeader').mockImplementation(leaderOf);
    vi.spyOn(cluster, 'leader').mockImplementation(async (topic) => leaderOf(topic));
    const request = vi.spyOn(cluster, 'request').mockReturnValue(new Promise(() => {}));
    const world = new World();
    const follow = (follower: Follower) => world.followAt(follower);
    const feeds = feedsOf(cluster, { follow, pace: { unpacked: () => null } });
    const ignoring = { onRecords() {}, onGone() {}, onParted() {}, onOutOfRange() {} };
    const topics = [...Array.from({ length: 2 * READS_AT_ONCE }, (_, at) => `mute ${at}`), 'elsewhere'];
    for (const topic of topics) {
      // One is ahead, so that the other one reads.
      for (const offset of [1_000, 0]) {
        const follower = { ...ignoring, topic, topicId: topic };
        feeds.follow(follower, { offset, epoch: EPOCH }, topic);
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(request.mock.calls.filter(([node]) => node === 1)).toHaveLength(READS_AT_ONCE);
    expect(request.mock.calls.filter(([node]) => node === 2)).toHaveLength(1);
  });

  it('tells one whose place the log has no more, and nobody else', async () => {
    const world = new World();
    Object.assign(world, { end: 10, start: 5 });
    const [good, bad] = [new Reader(world), new Reader(world)];
    good.next = 10;
    good.follow();
    bad.follow();
    await world.answer();
    expect([good.isOut, bad.isOut]).toEqual([false, true]);
    expect(world.tails).toHaveLength(1);
  });
});
