/** What waits for the end of others' transactions: nothing of it is shown before, lost, shown twice, or keeps others waiting. */
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { InboxMessage } from '../../src/core/inboxes.ts';
import type { Follower, Subscription } from '../../src/storage/kafka/fetch/fetcher.ts';
import type { LogPosition } from '../../src/storage/kafka/fetch/log-reader.ts';
import { CommitPace } from '../../src/storage/kafka/groups/commit-schedule.ts';
import type { TopicCommit } from '../../src/storage/kafka/groups/commits.ts';
import { Correspondents } from '../../src/storage/kafka/groups/correspondents.ts';
import { DeliveredOffsets } from '../../src/storage/kafka/groups/delivered-offsets.ts';
import type { GroupMember } from '../../src/storage/kafka/groups/group-member.ts';
import { Position } from '../../src/storage/kafka/groups/position.ts';
import { HeldBack, Markers } from '../../src/storage/kafka/inbox/held-back.ts';
import { KafkaInbox } from '../../src/storage/kafka/inbox/inbox.ts';
import type { InboxSurroundings } from '../../src/storage/kafka/inbox/inbox-surroundings.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { readRecords } from '../../src/storage/kafka/wire/fetched-records.ts';
import type { RawRecord } from '../../src/storage/kafka/wire/log-batch.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { Random } from '../protocol/random.ts';
import { sized } from '../size.ts';
import { testLog } from './cluster.ts';
import { markerBatch, rawBatch, recordsOf } from './packed.ts';

const owner = {
  ...{ name: 'owner', incarnation: newUuid(), topicId: randomUUID(), displayName: null },
  ...{ credential: null, disabled: false, createdAt: 0, blocked: [] },
} as unknown as Account;
const trust = new Trust(new Signer([{ id: 'k', secret: randomBytes(32) }]), new BrokerClock(), true, 0);

type Fate = 'counts' | 'aborted' | 'open';

/** One inbox over a log in memory, in which producers have transactions. */
class World {
  /** What lies at each offset: a batch of one. */
  readonly batches: Buffer[] = [];
  readonly fates = new Map<number, Fate>();
  /** Offsets of the open transaction of each producer. */
  readonly open = new Map<number, number[]>();
  readonly pushed: number[] = [];
  /** Of each record in a transaction, and what was pushed of each producer last. */
  readonly producers = new Map<number, number>();
  readonly #lastOf = new Map<number, number>();
  committed = 0;
  following: (Subscription & { position: number }) | null = null;
  readonly inbox: KafkaInbox;

  constructor() {
    const around = {
      feeds: {
        follow: (follower: Follower, { offset: position }: LogPosition) => {
          expect(this.following).toBeNull();
          const subscription = {
            ...{ follower, position },
            advance: (reached: number) => {
              subscription.position = Math.max(subscription.position, reached);
            },
            moveTo: ({ offset }: LogPosition) => {
              subscription.position = offset;
            },
            close: () => {
              this.following = null;
            },
          };
          this.following = subscription;
          return subscription;
        },
      },
      ...{ commitPace: new CommitPace(), trust, historyMs: 3_600_000, log: testLog },
      ...{
        steppedOver: { note: () => {} },
        isFrontendAlive: () => true,
        doubt: { covers: () => false },
        frontendAlive: async () => {},
      },
      ...{ onReleased: () => {}, abandon: () => {} },
    } as unknown as InboxSurroundings;
    const member = {
      group: 'g',
      commit: async ([changed]: readonly TopicCommit[]) => {
        if (changed) this.committed = changed.commit.offset;
      },
      ...{ leave: async () => {}, heartbeat: async () => {} },
    } as unknown as GroupMember;
    const options = {
      deliver: 'all' as const,
      onMessage: ({ offset }: InboxMessage) => {
        expect(this.fates.get(offset), `offset ${offset}`).toBe('counts');
        this.pushed.push(offset);
        const producer = this.producers.get(offset);
        if (producer === undefined) return;
        expect(this.#lastOf.get(producer) ?? -1, 'in the order of its producer').toBeLessThan(offset);
        this.#lastOf.set(producer, offset);
      },
      onLost: () => expect.fail('lost'),
    };
    const places = {
      ...{ position: new Position(new DeliveredOffsets(0)), correspondents: new Correspondents() },
      ...{ surprise: { again: 0, gone: 0 }, isNew: false, epoch: -1 },
    };
    this.inbox = new KafkaInbox(around, owner, 'topic', member, options, places, 0);
    this.inbox.start();
  }

  /** A record, of a producer's transaction if there is one. */
  store(producerId: number | null): void {
    const offset = this.batches.length;
    const fields = {
      count: 1,
      kind: producerId === null ? 0 : 16,
      base: offset,
      producerId: producerId ?? -1,
    };
    this.batches.push(rawBatch(recordsOf(['body']), fields));
    this.fates.set(offset, producerId === null ? 'counts' : 'open');
    if (producerId !== null) this.producers.set(offset, producerId);
    if (producerId !== null) this.open.set(producerId, [...(this.open.get(producerId) ?? []), offset]);
  }

  end(producerId: number, isCommit: boolean): void {
    for (const offset of this.open.get(producerId) ?? []) {
      this.fates.set(offset, isCommit ? 'counts' : 'aborted');
    }
    this.open.delete(producerId);
    this.batches.push(markerBatch(this.batches.length, producerId, isCommit));
  }

  /** What a fetch from a position brings that ends at `end`. */
  fetch(end = this.batches.length): void {
    const { following } = this;
    if (!following || end <= following.position) return;
    const bytes = Buffer.concat(this.batches.slice(following.position, end));
    const { records, nextOffset, epoch, markers, lost } = readRecords(bytes, following.position);
    following.position = nextOffset;
    this.inbox.cursor.onRecords(records, nextOffset, epoch, markers, lost);
  }

  counting(): number[] {
    return [...this.fates].filter(([, fate]) => fate === 'counts').map(([offset]) => offset);
  }
}

describe('transactions in an inbox', () => {
  it('that end within one fetch come in their order, without the aborted ones', () => {
    const world = new World();
    for (const producer of [1, null, 2, 1]) world.store(producer);
    world.end(2, false);
    world.end(1, true);
    world.store(null);
    world.fetch();
    expect(world.pushed).toEqual([0, 1, 3, 6]);
  });

  it('that are open keep nobody else waiting, and come when they are committed', async () => {
    const world = new World();
    for (const producer of [null, 1, 2, null]) world.store(producer);
    world.fetch();
    expect(world.pushed).toEqual([0, 3]);
    world.inbox.acknowledge(0, 100);
    world.end(2, false);
    world.store(1);
    world.store(null);
    world.fetch();
    expect(world.pushed).toEqual([0, 3, 6]);
    world.end(1, true);
    world.fetch();
    // What is behind is read once more, and nothing of it is shown twice.
    expect(world.following?.position).toBe(1);
    for (let round = 0; round < 10; round++) world.fetch();
    expect(world.pushed).toEqual([0, 3, 6, 1, 5]);
    world.inbox.acknowledge(0, 100);
    await world.inbox.close();
    expect(world.committed).toBe(8);
  });

  it('that come in several fetches keep their order, and so does the next one of the same producer', () => {
    const world = new World();
    for (const producer of [1, 1, null, 1]) world.store(producer);
    world.fetch(2);
    world.end(1, true);
    world.store(1);
    world.end(1, true);
    for (let round = 0; round < 10; round++) world.fetch();
    expect(world.pushed).toEqual([2, 0, 1, 3, 5]);
  });

  it('that are open are not committed as delivered, whatever the owner acknowledges', async () => {
    const world = new World();
    for (const producer of [null, 1, null]) world.store(producer);
    world.fetch();
    world.inbox.acknowledge(0, 2);
    await world.inbox.close();
    expect(world.committed).toBe(1);
  });

  it('in thousands of pieces are no reason to wait either, and take bounded memory', () => {
    const world = new World();
    for (let i = 0; i < 4_000; i++) world.store(i % 2 === 0 ? 1 : null);
    // Beyond the bound what is open is shown at once, out of its order.
    world.producers.clear();
    const shown = [...world.fates].filter(([offset]) => offset % 2 === 0 && offset >= 2 * 1_024);
    for (const [offset] of shown) world.fates.set(offset, 'counts');
    for (let end = 500; end <= 4_000; end += 500) world.fetch(end);
    expect(world.pushed.filter((offset) => offset % 2 === 1)).toHaveLength(2_000);
    expect(world.pushed.filter((offset) => offset % 2 === 0)).toHaveLength(shown.length);
    world.inbox.acknowledge(0, 4_000);
    world.end(1, true);
    for (let round = 0; round < 10; round++) world.fetch();
    expect(new Set(world.pushed).size).toBe(4_000);
    expect(world.pushed).toHaveLength(4_000);
  });

  it('come right in random interleavings', async () => {
    for (let seed = 1; seed <= sized(300, 1_000); seed++) await interleave(seed);
  });
});

async function interleave(seed: number): Promise<void> {
  const random = new Random(seed);
  const world = new World();
  const someProducer = () => 1 + random.below(3);
  for (let step = 0; step < 80; step++) {
    const dice = random.below(100);
    if (dice < 20) world.store(null);
    else if (dice < 45) world.store(someProducer());
    else if (dice < 60) world.end(someProducer(), random.below(2) === 0);
    else if (dice < 80) world.fetch(1 + random.below(world.batches.length + 1));
    else if (dice < 85) world.inbox.pause();
    else if (dice < 92) world.inbox.resume();
    else {
      const some = world.pushed[random.below(Math.max(1, world.pushed.length))];
      if (some !== undefined) world.inbox.acknowledge(Math.max(0, some - random.below(3)), some);
    }
    expect(new Set(world.pushed).size, `seed ${seed}`).toBe(world.pushed.length);
  }
  world.inbox.resume();
  for (const producer of [1, 2, 3]) world.end(producer, random.below(2) === 0);
  for (let round = 0; round < 20; round++) world.fetch();
  expect(
    [...world.pushed].sort((a, b) => a - b),
    `seed ${seed}`,
  ).toEqual(world.counting());
  for (const offset of world.pushed) world.inbox.acknowledge(offset, offset);
  await world.inbox.close();
  expect(world.committed, `seed ${seed}`).toBe(world.batches.length);
}

describe('what is held back', () => {
  const record = (offset: number, transactionOf: number | null) =>
    ({ offset, transactionOf }) as unknown as RawRecord;

  it('is known by producer and place: an earlier marker ends nothing that comes later', () => {
    const held = new HeldBack();
    const markers = new Markers([
      { offset: 4, leaderEpoch: 0, producerId: 1, isCommit: false },
      { offset: 9, leaderEpoch: 0, producerId: 1, isCommit: true },
    ]);
    const standings = [3, 5, 10].map((offset) => held.judge(record(offset, 1), markers));
    expect(standings).toEqual(['aborted', 'counts', 'open']);
    expect(held.judge(record(5, null), markers)).toBe('counts');
    expect(held.end({ offset: 9, leaderEpoch: 0, producerId: 1, isCommit: true })).toEqual([]);
    expect(held.outside(8, 12)).toEqual([
      [8, 9],
      [11, 12],
    ]);
    expect(held.end({ offset: 20, leaderEpoch: 0, producerId: 2, isCommit: true })).toEqual([]);
    expect(held.end({ offset: 20, leaderEpoch: 0, producerId: 1, isCommit: true })).toEqual([[10, 10]]);
    expect(held.outside(8, 12)).toEqual([[8, 12]]);
  });

  it('is forgotten where the log has it no more', () => {
    const held = new HeldBack();
    for (const offset of [1, 2, 3, 7]) held.judge(record(offset, 1), new Markers([]));
    held.forgetBelow(3);
    expect(held.end({ offset: 20, leaderEpoch: 0, producerId: 1, isCommit: true })).toEqual([
      [3, 3],
      [7, 7],
    ]);
  });
});
