/** Logs that lost their tail: what was confirmed afterwards arrives, and nobody hears *delivered* of what did not. */
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Accepted, Fate, OutgoingMessage } from '../../src/core/inboxes.ts';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { uuidText } from '../../src/util/uuid.ts';
import { borrowBroker, borrowCluster, type LentBroker, type LentCluster } from '../broker/borrow.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { javaUsable } from '../broker/java.ts';
import { cutLog } from '../broker/log-files.ts';
import {
  eventually,
  fatesOf,
  message,
  numbered,
  type ObservedInbox,
  observe,
  uniqueName,
} from '../contracts/cluster.ts';
import { FULL, inFullSize } from '../size.ts';
import { testLog } from './cluster.ts';
import { commitRaw } from './raw-commit.ts';

const hasJava = await javaUsable();

function open(brokers: string, replicas: number): Promise<Storage> {
  const settings = {
    MILENA_KAFKA_BROKERS: brokers,
    MILENA_CLUSTER_KEYS: TEST_KEYS,
    MILENA_REPLICATION_FACTOR: String(replicas),
    MILENA_SEND_TIMEOUT_MS: '30000',
  };
  return openKafkaStorage(readConfig(settings), testLog);
}

/** Two people, and what one has sent to the other. */
class Pair {
  readonly sent: Accepted[] = [];
  readonly engine: Storage;
  readonly from: Account;
  readonly to: Account;

  private constructor(engine: Storage, from: Account, to: Account) {
    this.engine = engine;
    this.from = from;
    this.to = to;
  }

  static async make(engine: Storage): Promise<Pair> {
    const from = await engine.accounts.create({ name: uniqueName('from') });
    return new Pair(engine, from, await engine.accounts.create({ name: uniqueName('to') }));
  }

  get topic(): string {
    return `milena.inbox.${this.to.name}`;
  }

  /** One after the other, each confirmed before the next. */
  async send(bodies: readonly string[]): Promise<Accepted[]> {
    const accepted: Accepted[] = [];
    for (const body of bodies) accepted.push(await this.#store(message(this.from, body)));
    this.sent.push(...accepted);
    return accepted;
  }

  /** With the same id until it is confirmed, as clients do. */
  async #store(one: OutgoingMessage): Promise<Accepted> {
    for (;;) {
      try {
        return await this.engine.inboxes.append(this.to, one);
      } catch (error) {
        if (!(error instanceof EngineError && error.code === 'UNAVAILABLE')) throw error;
      }
    }
  }

  /** Logs in, and acknowledges whatever comes. */
  async login(takeover = false): Promise<ObservedInbox> {
    const reader: ObservedInbox = await observe(this.engine, this.to, {
      deliver: 'all',
      takeover,
      // What comes before the login is answered is acknowledged by the next one.
      onMessage: ({ offset }) => reader?.inbox.acknowledge(0, offset),
    });
    return reader;
  }

  /** Logs in, takes so many messages, and leaves. */
  async take(count: number): Promise<ObservedInbox> {
    const reader = await observe(this.engine, this.to, { deliver: 'all' });
    await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(count));
    for (const { offset } of reader.pushed) reader.inbox.acknowledge(offset, offset);
    await reader.inbox.close();
    return reader;
  }

  fates(sent: readonly Accepted[], inLog = true): Promise<Fate[]> {
    return fatesOf(this.engine, this.to, sent, inLog);
  }
}

describe.skipIf(!hasJava)('a log that was cut by hand', { timeout: 180_000 }, () => {
  let broker: LentBroker;
  let engine: Storage;

  beforeAll(async () => {
    broker = await borrowBroker();
    engine = await open(broker.brokers, 1);
  });
  afterAll(async () => {
    await engine?.close();
    await broker?.stop();
  });

  /** So that each log ends before its offset. */
  async function cut(...logs: readonly [Pair, number][]): Promise<void> {
    await broker.halt();
    for (const [{ topic }, offset] of logs) cutLog(broker, topic, offset);
    await broker.start();
  }

  it('loses nothing that is confirmed afterwards, of whoever is away or logged in', async () => {
    const pairs = await Promise.all(numbered('pair', 4).map(() => Pair.make(engine)));
    const [away, online, waiting, unread] = pairs as [Pair, Pair, Pair, Pair];
    const before = new Map(
      await Promise.all(pairs.map(async (pair) => [pair, await pair.send(numbered('old', 10))] as const)),
    );
    const first = await away.take(10);
    const session = await online.login();
    await eventually(() => expect(session.pushed).toHaveLength(10));
    session.inbox.acknowledge(0, 9);
    await eventually(async () =>
      expect(await online.fates(online.sent)).toEqual(online.sent.map(() => 'delivered')),
    );
    // Half of it is acknowledged, with a gap.
    const partly = await observe(engine, waiting.to, { deliver: 'all' });
    await eventually(() => expect(partly.pushed).toHaveLength(10));
    for (const [from, to] of [
      [0, 1],
      [3, 3],
      [7, 8],
    ] as const)
      partly.inbox.acknowledge(from, to);
    await partly.inbox.close();

    await cut(...pairs.map((pair): [Pair, number] => [pair, 5]));
    const after = new Map(
      await Promise.all(pairs.map(async (pair) => [pair, await pair.send(numbered('new', 7))] as const)),
    );
    expect(after.get(away)?.map(({ offset }) => offset)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    for (const pair of pairs) {
      for (const inLog of [false, true]) {
        const fates = await pair.fates(after.get(pair) ?? [], inLog);
        if (pair !== online) expect(fates, 'before the recipient has them').toEqual(Array(7).fill('waiting'));
      }
    }
    expect(await unread.fates(before.get(unread) ?? [])).toEqual([
      ...Array(5).fill('waiting'),
      ...Array(5).fill('undeliverable'),
    ]);

    await eventually(() => expect(session.lost).toEqual(['changed']));
    expect(session.bodies().slice(10)).not.toContain('old 9');
    const news = numbered('new', 7);
    const [back, again, third, fourth] = [
      await away.take(7),
      await online.take(7),
      await waiting.take(8),
      await unread.take(12),
    ];
    expect(back.bodies()).toEqual(news);
    expect(back.inbox.surprise).toEqual({ again: 5, gone: 0 });
    expect(back.inbox.id).not.toEqual(first.inbox.id);
    expect(again.bodies()).toEqual(news);
    expect(third.bodies()).toEqual(['old 2', 'old 4', ...news].slice(0, third.bodies().length));
    expect(third.bodies()).toHaveLength(9);
    expect(fourth.bodies()).toEqual([...numbered('old', 5), ...news]);
    expect(fourth.inbox.surprise).toEqual({ again: 0, gone: 0 });

    for (const pair of pairs) {
      expect(await pair.fates(after.get(pair) ?? [])).toEqual(Array(7).fill('delivered'));
      const old = await pair.fates(before.get(pair) ?? []);
      expect(old.slice(0, 5)).toEqual(Array(5).fill('delivered'));
      expect(old.slice(5)).toEqual(Array(5).fill('undeliverable'));
    }
    const later = await away.take(0);
    expect(later.inbox.id).toEqual(back.inbox.id);
    expect(later.inbox.surprise).toEqual({ again: 0, gone: 0 });
  });

  it('is found at whatever place and however often, and begins at its start where a commit has no epoch', async () => {
    const [pair, older] = [await Pair.make(engine), await Pair.make(engine)];
    await pair.send(numbered('first', 6));
    await pair.take(6);
    await older.send(numbered('old', 6));
    await older.take(6);
    // As a frontend that knew nothing of epochs wrote it.
    await commitRaw(older.to, 6, `1 ${uuidText(older.to.incarnation)} `, [broker.brokers]);
    await cut([pair, 0], [older, 4]);
    expect((await older.take(4)).bodies()).toEqual(numbered('old', 4));
    const second = await pair.send(numbered('second', 9));
    expect((await pair.take(9)).bodies()).toEqual(numbered('second', 9));
    if (!FULL) return;
    await cut([pair, 8]);
    // Nobody was told that it is shorter, and it grows again beyond.
    const third = await pair.send(numbered('third', 3));
    expect(await pair.fates(third)).toEqual(Array(3).fill('waiting'));
    expect((await pair.take(3)).bodies()).toEqual(numbered('third', 3));
    expect(await pair.fates(second)).toEqual([...Array(8).fill('delivered'), 'undeliverable']);
    expect(await pair.fates(third)).toEqual(Array(3).fill('delivered'));
  });
});

// That less is there than was confirmed is seen above every day, however it came about.
describe.skipIf(!hasJava || !FULL)(
  inFullSize('a log whose tail an unclean election took'),
  { timeout: 240_000 },
  () => {
    let cluster: LentCluster;
    let engine: Storage;

    beforeAll(async () => {
      cluster = await borrowCluster();
      engine = await open(cluster.brokers, 3);
    });
    afterAll(async () => {
      await engine?.close();
      await cluster?.stop();
    });

    it('loses nothing that is confirmed afterwards; senders of what was lost hear so', async () => {
      const pairs = await Promise.all(numbered('pair', 2).map(() => Pair.make(engine)));
      const [away, online] = pairs as [Pair, Pair];
      // Two copies of each inbox, one of which is enough: the third broker keeps the cluster going.
      const kafka = new Kafka({ brokers: cluster.brokers.split(','), logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      const topics = pairs.map(({ topic }) => topic);
      const assigned = topics.map((topic) => {
        return { topic, partitionAssignment: [{ partition: 0, replicas: [1, 2] }] };
      });
      await admin.alterPartitionReassignments({ topics: assigned });
      const resources = topics.map((name) => ({
        type: 2,
        name,
        configEntries: [
          { name: 'unclean.leader.election.enable', value: 'true' },
          { name: 'min.insync.replicas', value: '1' },
          { name: 'message.timestamp.type', value: 'LogAppendTime' },
        ],
      }));
      await admin.alterConfigs({ validateOnly: false, resources });
      const state = async () => {
        const metadata = await admin.fetchTopicMetadata({ topics });
        return metadata.topics.map(({ partitions }) => partitions[0]);
      };
      await eventually(async () => {
        for (const partition of await state()) expect([...(partition?.isr ?? [])].sort()).toEqual([1, 2]);
      });
      await admin.disconnect();

      for (const pair of pairs) await pair.send(numbered('safe', 5));
      const first = await away.take(5);
      expect(first.bodies()).toEqual(numbered('safe', 5));
      const session = await online.login();
      await eventually(() => expect(session.pushed).toHaveLength(5));
      session.inbox.acknowledge(0, 4);

      const [one, two] = cluster.nodes as [LentBroker, LentBroker, LentBroker];
      await two.halt();
      const lost = new Map(
        await Promise.all(pairs.map(async (pair) => [pair, await pair.send(numbered('lost', 4))] as const)),
      );
      await eventually(() => expect(session.pushed).toHaveLength(9));
      session.inbox.acknowledge(0, 6);
      await one.kill();
      await two.start();

      const after = new Map(
        await Promise.all(pairs.map(async (pair) => [pair, await pair.send(numbered('new', 6))] as const)),
      );
      expect(after.get(away)?.[0]?.offset).toBe(5);
      await eventually(async () =>
        expect(await away.fates(lost.get(away) ?? [])).toEqual(Array(4).fill('undeliverable')),
      );
      await eventually(() => expect(session.lost).toEqual(['changed']));
      // It gives the inbox back, which takes until its group has another coordinator.
      await session.inbox.close();
      const reader = await online.take(6);
      expect(reader.bodies()).toEqual(numbered('new', 6));
      expect((await away.take(6)).bodies()).toEqual(numbered('new', 6));
      for (const pair of pairs) {
        expect(await pair.fates(after.get(pair) ?? [])).toEqual(Array(6).fill('delivered'));
        expect(await pair.fates(lost.get(pair) ?? [])).not.toContain('delivered');
      }
      await one.start();
      expect((await away.take(0)).inbox.surprise).toEqual({ again: 0, gone: 0 });
    });
  },
);
