import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { InboxMessage, OutgoingMessage } from '../../src/core/inboxes.ts';
import type { Follower, Subscription } from '../../src/storage/kafka/fetch/fetcher.ts';
import type { LogPosition } from '../../src/storage/kafka/fetch/log-reader.ts';
import { CommitPace } from '../../src/storage/kafka/groups/commit-schedule.ts';
import { Correspondents } from '../../src/storage/kafka/groups/correspondents.ts';
import { DeliveredOffsets } from '../../src/storage/kafka/groups/delivered-offsets.ts';
import type { GroupMember } from '../../src/storage/kafka/groups/group-member.ts';
import { Position } from '../../src/storage/kafka/groups/position.ts';
import { KafkaInbox } from '../../src/storage/kafka/inbox/inbox.ts';
import type { InboxSurroundings } from '../../src/storage/kafka/inbox/inbox-surroundings.ts';
import { encodeRecord, messageAsStored } from '../../src/storage/kafka/inbox/record.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { readRecords } from '../../src/storage/kafka/wire/fetched-records.ts';
import type { RawRecord } from '../../src/storage/kafka/wire/log-batch.ts';
import { encodeBatch, encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { message, observe, uniqueName } from '../contracts/cluster.ts';
import { FULL, sized } from '../size.ts';
import { kafkaCluster, testLog } from './cluster.ts';

const owner: Account = {
  name: 'owner',
  incarnation: newUuid(),
  topicId: randomUUID(),
  displayName: null,
  credential: null,
  disabled: false,
  createdAt: 0,
  blocked: [],
};
const signer = new Signer([{ id: 'k', secret: randomBytes(32) }]);
const clock = new BrokerClock();

/** Nothing has changed since the last commit, and nobody says under which leader. */
const NO_NEWS = { surprise: { again: 0, gone: 0 }, isNew: false, epoch: -1 };

/** One inbox over a log in memory: the test says when a fetch happens and what it brings. */
class World {
  alive = true;
  doubtful = false;
  /** How often a heartbeat was wanted. */
  asked = 0;
  /** Messages of ours, or null for a record from outside. */
  readonly log: (OutgoingMessage | null)[] = [];
  readonly pushed: InboxMessage[] = [];
  following: (Subscription & { position: number }) | null = null;
  onMessage: () => void = () => {};
  inbox: KafkaInbox;

  constructor(delivered = new DeliveredOffsets(0), liveStart = 0) {
    this.inbox = this.open(delivered, liveStart);
  }

  open(delivered: DeliveredOffsets, liveStart: number): KafkaInbox {
    const follow = (_: Follower, { offset: position }: LogPosition) => {
      expect(this.following).toBeNull();
      const subscription = {
        follower: _,
        position,
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
    };
    const around = {
      feeds: { follow },
      commitPace: new CommitPace(),
      trust: new Trust(signer, clock, true, 0),
      historyMs: 3_600_000,
      log: testLog,
      steppedOver: { note: () => {} },
      isFrontendAlive: () => this.alive,
      frontendAlive: async () => {},
      doubt: { covers: () => this.doubtful },
      confirmSoon: () => {
        this.asked += 1;
      },
      onReleased: () => {},
      abandon: () => {},
    } as unknown as InboxSurroundings;
    const member = {
      group: 'g',
      commit: async () => {},
      leave: async () => {},
      heartbeat: async () => {},
    } as unknown as GroupMember;
    const options = {
      deliver: 'all' as const,
      onMessage: (pushed: InboxMessage) => {
        this.pushed.push(pushed);
        this.onMessage();
      },
      onLost: () => {},
    };
    const start = {
      ...{ position: new Position(delivered), correspondents: new Correspondents() },
      ...NO_NEWS,
    };
    this.inbox = new KafkaInbox(around, owner, 'topic', member, options, start, liveStart);
    this.inbox.start();
    return this.inbox;
  }

  /** Stores a message of ours. @returns its offset */
  store(body = `m ${this.log.length}`): number {
    this.log.push(message(owner, body));
    return this.log.length - 1;
  }

  storeRaw(): number {
    this.log.push(null);
    return this.log.length - 1;
  }

  /** What the appender's answer leads to. */
  handOver(offset: number, epoch = -1): void {
    const stored = this.log[offset];
    if (stored)
      this.inbox.cursor.handOver(messageAsStored(stored, { offset, acceptedAt: offset, epoch }), epoch);
  }

  /** A fetch that was sent from `position` and answered when the log ended at `end`. */
  fetch(position = this.following?.position ?? 0, end = this.log.length): void {
    const { following } = this;
    if (!following) return;
    following.position = Math.max(following.position, end);
    // With what was handed over meanwhile: a follower has to expect records below its position.
    this.inbox.cursor.onRecords(this.#records(position, end), following.position, -1, [], []);
  }

  #records(from: number, end: number): RawRecord[] {
    return this.log.slice(from, end).flatMap((stored, index) => {
      const raw = { key: null, value: Buffer.from('raw'), headers: [] };
      const content = stored ? encodeRecord(signer, owner, stored, new Date()) : raw;
      const batch = encodeBatch([encodeContent(content)], { id: 1n, epoch: 0 }, 0, from + index);
      batch.writeBigInt64BE(BigInt(from + index));
      return readRecords(batch, from + index).records;
    });
  }

  offsets(): number[] {
    return this.pushed.map(({ offset }) => offset);
  }
}

describe('handing over', () => {
  it('pushes the next message at once, the same as a fetch would bring', () => {
    const handed = new World();
    const fetched = new World();
    for (const body of ['one', 'half a pair \ud800', 'čau']) {
      handed.handOver(handed.store(body));
      fetched.log.push(handed.log.at(-1) ?? null);
    }
    fetched.fetch();
    expect(handed.offsets()).toEqual([0, 1, 2]);
    expect(handed.pushed).toEqual(fetched.pushed);
    // And tells the fetcher, so that Kafka does not send them again.
    expect(handed.following?.position).toBe(3);
  });

  it('is skipped where anything lies in between, which comes by a fetch, in order', () => {
    const world = new World();
    world.handOver(world.store());
    world.storeRaw();
    const late = world.store();
    world.handOver(late);
    expect(world.offsets()).toEqual([0]);
    world.fetch();
    expect(world.offsets()).toEqual([0, 1, 2]);
    world.handOver(late);
    world.handOver(world.store());
    expect(world.offsets()).toEqual([0, 1, 2, 3]);
  });

  it('is skipped where it comes from another leader than what lies in front of it', () => {
    const world = new World();
    world.handOver(world.store(), 7);
    expect(world.offsets()).toEqual([]);
    world.fetch();
    expect(world.offsets()).toEqual([0]);
  });

  it('does not repeat what a fetch under way brings as well', () => {
    const world = new World();
    const [a, b] = [world.store(), world.store()];
    const asked = world.following?.position;
    world.handOver(a);
    world.fetch(asked, 1);
    world.handOver(b);
    world.fetch(asked, 2);
    world.handOver(b);
    expect(world.offsets()).toEqual([0, 1]);
  });

  it('waits while the inbox is paused, and the fetch makes up for it', () => {
    const world = new World();
    world.inbox.pause();
    world.handOver(world.store());
    expect(world.offsets()).toEqual([]);
    world.inbox.resume();
    world.handOver(world.store());
    expect(world.offsets()).toEqual([]);
    world.fetch();
    expect(world.offsets()).toEqual([0, 1]);
  });

  it('stops in the middle of a batch when the reader pauses', () => {
    const world = new World();
    world.onMessage = () => world.inbox.pause();
    for (const offset of [world.store(), world.store()]) world.handOver(offset);
    expect(world.offsets()).toEqual([0]);
    world.inbox.resume();
    expect(world.following?.position).toBe(1);
    world.fetch();
    expect(world.offsets()).toEqual([0, 1]);
  });

  it('waits while this frontend may have been taken for dead', () => {
    const world = new World();
    world.alive = false;
    world.handOver(world.store());
    expect(world.offsets()).toEqual([]);
    expect(world.following).toBeNull();
    world.alive = true;
    world.handOver(world.store());
    expect(world.offsets()).toEqual([]);
    world.inbox.cursor.wake();
    world.fetch();
    expect(world.offsets()).toEqual([0, 1]);
  });

  it('stops while it is in doubt who holds the inbox, until its own heartbeat has said so', async () => {
    const world = new World();
    world.handOver(world.store());
    world.doubtful = true;
    world.handOver(world.store());
    world.fetch(1);
    expect(world.inbox.acknowledge(0, 0)).toBe(false);
    expect([world.offsets(), world.asked]).toEqual([[0], 1]);
    // One that was sent too early says nothing.
    await world.inbox.checkLease();
    world.inbox.resume();
    expect(world.following).toBeNull();
    world.doubtful = false;
    await world.inbox.checkLease();
    world.fetch();
    expect(world.offsets()).toEqual([0, 1]);
    expect(world.inbox.acknowledge(1, 1)).toBe(true);
  });

  it.each(['fenced', 'lost', 'deleted'] as const)('is over once the inbox is lost (%s)', (reason) => {
    const world = new World();
    const offset = world.store();
    world.inbox.lose(reason);
    world.handOver(offset);
    expect(world.offsets()).toEqual([]);
  });

  it('leaves the backlog to read, and steps over what is acknowledged', () => {
    const world = new World(new DeliveredOffsets(0, [[3, 3]]), 2);
    for (let i = 0; i < 5; i++) world.handOver(world.store());
    expect(world.offsets()).toEqual([2, 4]);
  });

  it('stops while too many ranges are open', () => {
    const world = new World();
    // Every other offset acknowledged: 1,500 ranges are more than a commit has room for.
    for (let i = 0; i < 3_500; i++) {
      const offset = world.store();
      world.handOver(offset);
      if (offset % 2 === 1) world.inbox.acknowledge(offset, offset);
    }
    expect(world.following).toBeNull();
    const stoppedAt = world.pushed.length;
    expect(stoppedAt).toBeLessThan(3_500);
    world.inbox.acknowledge(0, 3_000);
    world.fetch();
    expect(world.offsets()).toEqual(Array.from({ length: 3_500 }, (_, i) => i));
  });

  it('loses nothing and repeats nothing in random interleavings', () => {
    // Others in each everyday run.
    const first = FULL ? 1 : randomInt(1, 1_000_000);
    for (let seed = first; seed < first + sized(150, 2_000); seed++) interleave(seed);
  });
});

/** One random run of everything that may happen, in any order. */
function interleave(seed: number): void {
  const random = randomNumbers(seed);
  const world = new World();
  /** Answers of the appender that are still to come; those of one connection come in order. */
  const answers: number[] = [];
  /** Fetches under way: where they were sent from, and where the log ended when Kafka answered. */
  let asked: { position: number; subscription: unknown } | null = null;
  for (let step = 0; step < 60; step++) {
    const dice = random(100);
    if (dice < 30) answers.push(world.store());
    else if (dice < 36) world.storeRaw();
    else if (dice < 62) {
      const answer = answers.shift();
      if (answer !== undefined) world.handOver(answer);
    } else if (dice < 72) {
      asked = world.following && { position: world.following.position, subscription: world.following };
    } else if (dice < 82) {
      // An answer to a subscription that has ended is dropped by the fetcher.
      if (asked && asked.subscription === world.following) {
        world.fetch(asked.position, asked.position + random(world.log.length - asked.position + 1));
      }
      asked = null;
    } else if (dice < 86) world.inbox.pause();
    else if (dice < 92) world.inbox.resume();
    else if (dice < 94) world.alive = false;
    else if (dice < 96) {
      world.alive = true;
      world.inbox.cursor.wake();
    } else {
      const some = world.pushed[random(Math.max(1, world.pushed.length))];
      if (some) world.inbox.acknowledge(some.offset, some.offset);
    }
    const so_far = world.offsets();
    expect(so_far, `seed ${seed}`).toEqual(so_far.map((_, index) => index));
  }
  world.alive = true;
  world.inbox.cursor.wake();
  world.inbox.resume();
  world.fetch();
  expect(world.offsets(), `seed ${seed}`).toEqual(world.log.map((_, index) => index));
  expect(world.pushed.map(({ from }) => from.kind)).toEqual(
    world.log.map((stored) => (stored ? 'user' : 'external')),
  );
}

/** Whole numbers below a bound, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

describe('handing over, with Kafka', () => {
  it('is over before the sender hears that the message was accepted', async () => {
    const cluster = await kafkaCluster();
    const { here, elsewhere, produceRaw } = cluster;
    const to = await here.accounts.create({ name: uniqueName('near') });
    const from = await here.accounts.create({ name: uniqueName('from') });
    const reader = await observe(here, to);
    // Waits for the first fetch, so that nothing else is under way.
    await here.inboxes.append(to, message(from, 'first'));
    for (let i = 0; i < 20; i++) {
      const accepted = await here.inboxes.append(to, message(from, `m ${i}`));
      const { offset, acceptedAt } = accepted;
      expect(reader.pushed.at(-1)).toMatchObject({ body: Buffer.from(`m ${i}`), offset, acceptedAt });
    }
    // Of another life of the name nothing is taken for this one's, though offset and name fit.
    await here.inboxes.append({ ...to, incarnation: newUuid() }, message(from, 'for another'));
    await produceRaw?.(to, { value: 'raw' });
    await here.inboxes.append(to, message(from, 'behind it'));
    await elsewhere.inboxes.append(to, message(from, 'far'));
    await expect
      .poll(() => reader.bodies().slice(21), { timeout: 10_000 })
      .toEqual(['raw', 'behind it', 'far']);
    await reader.inbox.close();
    await cluster.close();
  });
});
