/*
 * The fetch sessions against the logs themselves: whoever comes, goes, is moved, or is written to while others' fetches are parked at the
 * broker, each follower gets every record from its place on, once and in order, and nothing after its end.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
import { Fetcher, type Subscription } from '../../../src/storage/kafka/fetch/fetcher.ts';
import { Cluster } from '../../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../../broker/brokers.ts';
import { eventually, message, type TestCluster } from '../../contracts/cluster.ts';
import { kafkaCluster, testLog } from '../../kafka/cluster.ts';
import { runs } from '../checking.ts';
import { newAccount } from './new-account.ts';

/** More than one session has. */
const TOPICS = 20;

const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'follower' });
let cluster: TestCluster;
let owners: Account[] = [];
/** Records in each log by now: each is one offset. */
const ends: number[] = Array.from({ length: TOPICS }, () => 0);

beforeAll(async () => {
  cluster = await kafkaCluster();
  await raw.connect();
  owners = await Promise.all(ends.map(() => newAccount(cluster, 'followed')));
});
afterAll(async () => {
  await raw.close();
  await cluster.close();
});

const topic = fc.nat(TOPICS - 1);
/** A place between the log's beginning and its end, in hundredths. */
const place = fc.nat(100);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('follow' as const), topic, place }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('close' as const), topic }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('move' as const), topic, place }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('advance' as const), topic }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      topic,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('settle' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** One followed topic: what it should get next, and what was wrong. */
class Followed {
  readonly subscription: Subscription;
  next: number;
  isClosed = false;
  /** Where it goes on when it is called next: only then it may be moved. */
  moveTo: number | null = null;
  readonly wrong: string[] = [];

  constructor(fetcher: Fetcher, at: number, from: number) {
    const { name, topicId } = owners[at] ?? { name: '', topicId: '' };
    this.next = from;
    const unexpected = (what: string) => () => this.wrong.push(what);
    this.subscription = fetcher.follow(
      {
        ...{ topic: `milena.inbox.${name}`, topicId },
        onRecords: (records, nextOffset, _, markers, lost) => {
          if (this.isClosed) this.wrong.push(`${nextOffset} came after the end`);
          for (const { offset } of records) {
            if (offset !== this.next) this.wrong.push(`${offset} instead of ${this.next}`);
            this.next = offset + 1;
          }
          if (nextOffset !== this.next || markers.length + lost.length > 0)
            this.wrong.push(`${nextOffset} is next, not ${this.next}`);
          this.#move();
        },
        onGone: unexpected('gone'),
        onOutOfRange: unexpected('out of range'),
        onParted: unexpected('parted'),
      },
      { offset: from, epoch: -1 },
    );
  }

  #move(): void {
    if (this.moveTo === null) return;
    this.next = this.moveTo;
    this.moveTo = null;
    this.subscription.moveTo({ offset: this.next, epoch: -1 });
  }

  close(): void {
    this.isClosed = true;
    this.subscription.close();
  }
}

class World {
  readonly fetcher = new Fetcher(raw, testLog);
  readonly #followed = new Map<number, Followed>();
  readonly #all: Followed[] = [];

  async take(one: Step): Promise<void> {
    switch (one.type) {
      case 'follow': {
        // A frontend follows an inbox once.
        if (this.#followed.has(one.topic)) return;
        const followed = new Followed(this.fetcher, one.topic, placeIn(one.topic, one.place));
        this.#followed.set(one.topic, followed);
        this.#all.push(followed);
        return;
      }
      case 'close':
        this.#followed.get(one.topic)?.close();
        this.#followed.delete(one.topic);
        return;
      case 'move': {
        const followed = this.#followed.get(one.topic);
        if (followed === undefined) return;
        followed.moveTo = placeIn(one.topic, one.place);
        return;
      }
      case 'advance': {
        const followed = this.#followed.get(one.topic);
        if (followed === undefined) return;
        followed.next = Math.max(followed.next, ends[one.topic] ?? 0);
        followed.subscription.advance(followed.next);
        return;
      }
      case 'append':
        return this.#append(one.topic, one.count);
      case 'settle':
        return this.settle();
    }
  }

  /** Everybody gets to the end of what is written. */
  async settle(): Promise<void> {
    await eventually(() => {
      for (const [at, followed] of this.#followed) expect([at, followed.next]).toEqual([at, ends[at]]);
    });
    for (const { wrong } of this.#all) expect(wrong).toEqual([]);
  }

  /** Stored in this step, so that it is known where the log ends. */
  async #append(at: number, count: number): Promise<void> {
    const owner = owners[at];
    if (owner === undefined) return;
    const sent = Array.from({ length: count }, (_, i) =>
      cluster.here.inboxes.append(owner, message(owner, `${i}`)),
    );
    const stored = await Promise.all(sent);
    ends[at] = Math.max(...stored.map(({ offset }) => offset)) + 1;
  }
}

function placeIn(at: number, hundredths: number): number {
  return Math.floor(((ends[at] ?? 0) * hundredths) / 100);
}

test('each follower gets every record from its place on, once and in order', {
  timeout: 240_000,
}, async () => {
  const steps = fc.array(step, { minLength: 20, maxLength: 80, size: 'max' });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world = new World();
      try {
        for (const one of all) await world.take(one);
        await world.settle();
      } finally {
        await world.fetcher.close();
      }
    }),
    { ...runs(4), endOnFailure: true },
  );
});
