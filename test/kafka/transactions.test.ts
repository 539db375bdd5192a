/** Transactions of other producers in an inbox, with real Kafka. */
import type { Kafka, Producer, Transaction } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { eventually, message, observe, type TestCluster, textOf, uniqueName } from '../contracts/cluster.ts';
import { Random } from '../protocol/random.ts';
import { kafkaCluster, witness } from './cluster.ts';

const topicOf = (owner: Account) => `milena.inbox.${owner.name}`;

describe('a transaction in an inbox', () => {
  let cluster: TestCluster;
  let kafka: Kafka;
  const producers: Producer[] = [];

  beforeAll(async () => {
    cluster = await kafkaCluster();
    kafka = witness();
  });
  afterAll(async () => {
    for (const producer of producers) await producer.disconnect();
    await cluster.close();
  });

  async function transactional(transactionTimeout = 60_000): Promise<Producer> {
    const transactionalId = uniqueName('tx');
    // The end of the one before may still be on its way in the broker: asked again for longer than a busy one takes.
    const retry = { retries: 60, initialRetryTime: 50, maxRetryTime: 500 };
    const settings = { transactionalId, maxInFlightRequests: 1, idempotent: true, transactionTimeout, retry };
    const producer = kafka.producer(settings);
    producers.push(producer);
    await producer.connect();
    return producer;
  }

  const write = (transaction: Transaction, owner: Account, ...bodies: string[]) =>
    transaction.send({ topic: topicOf(owner), messages: bodies.map((value) => ({ value })) });

  async function account(): Promise<Account> {
    return cluster.here.accounts.create({ name: uniqueName('owner') });
  }

  async function committedLow(owner: Account): Promise<number> {
    const admin = kafka.admin();
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId: topicOf(owner), topics: [topicOf(owner)] });
    await admin.disconnect();
    return Number(found?.partitions[0]?.offset);
  }

  it('that is open keeps nobody waiting, is not taken for delivered, and comes when it is committed', async () => {
    const owner = await account();
    const [open, aborted, committed] = await Promise.all([1, 2, 3].map(() => transactional()));
    if (!open || !aborted || !committed) throw new Error('no producers');
    const reader = await observe(cluster.here, owner, { deliver: 'all' });
    const first = await open.transaction();
    await write(first, owner, 'open 1', 'open 2');
    const second = await aborted.transaction();
    await write(second, owner, 'aborted');
    const third = await committed.transaction();
    await write(third, owner, 'committed');
    await second.abort();
    await third.commit();
    await cluster.here.inboxes.append(owner, message(owner, 'after'));
    await eventually(() => expect(reader.bodies()).toEqual(['committed', 'after']));
    reader.inbox.acknowledge(0, reader.pushed.at(-1)?.offset ?? -1);
    await reader.inbox.close();
    expect(await committedLow(owner)).toBe(0);

    const later = await observe(cluster.elsewhere, owner, { deliver: 'all' });
    await cluster.here.inboxes.append(owner, message(owner, 'last'));
    await eventually(() => expect(later.bodies()).toEqual(['last']));
    await first.commit();
    await eventually(() => expect(later.bodies()).toEqual(['last', 'open 1', 'open 2']));
    for (const { offset } of later.pushed) later.inbox.acknowledge(offset, offset);
    await eventually(async () => expect(await later.inbox.undelivered()).toBe(0));
    await later.inbox.close();
  });

  it('is read from the backlog by the same rules, wherever its end lies', async () => {
    const owner = await account();
    const [open, split] = [await transactional(), await transactional()];
    const first = await open.transaction();
    await write(first, owner, 'open');
    const second = await split.transaction();
    await write(second, owner, 'begun');
    // More than one fetch brings.
    const filler = 'x'.repeat(100_000);
    for (let i = 0; i < 30; i++) await cluster.produceRaw?.(owner, { value: filler });
    await write(second, owner, 'ended');
    await second.commit();
    const { inbox, bodies } = await observe(cluster.here, owner);
    async function readOn(): Promise<string[]> {
      const read: string[] = [];
      for (;;) {
        const page = await inbox.read({ maxBytes: 500_000 });
        if (page.length === 0) return read.filter((body) => body !== filler);
        read.push(...page.map(textOf));
        inbox.acknowledge(page[0]?.offset ?? 0, page.at(-1)?.offset ?? -1);
      }
    }
    expect(await readOn()).toEqual(['begun', 'ended']);
    await first.commit();
    await eventually(async () => expect(await readOn()).toEqual(['open']));
    await eventually(async () => expect(await inbox.undelivered()).toBe(0));
    expect(bodies()).toEqual([]);
    await inbox.close();
  });

  it('that nobody ends is ended by Kafka in its time, and nothing of it is shown', async () => {
    const owner = await account();
    const transaction = await (await transactional(6_000)).transaction();
    const { inbox, bodies } = await observe(cluster.here, owner, {
      deliver: 'all',
      onMessage: ({ offset }) => inbox.acknowledge(offset, offset),
    });
    await write(transaction, owner, 'never');
    await cluster.here.inboxes.append(owner, message(owner, 'after'));
    await eventually(() => expect(bodies()).toEqual(['after']));
    expect(await inbox.undelivered()).toBe(1);
    await eventually(async () => expect(await inbox.undelivered()).toBe(0));
    expect(bodies()).toEqual(['after']);
    await inbox.close();
  });

  it('among others at random: what was committed comes once, what was aborted never', async () => {
    const owner = await account();
    const reader = await observe(cluster.here, owner, { deliver: 'all' });
    const some = await Promise.all([1, 2, 3].map(() => transactional()));
    const open = new Map<Producer, { transaction: Transaction; bodies: string[] }>();
    const wanted: string[] = [];
    const writers = new Map<string, Producer | null>();
    const random = new Random(7);
    const end = async (producer: Producer, isCommit: boolean) => {
      const begun = open.get(producer);
      if (begun === undefined) return;
      open.delete(producer);
      await (isCommit ? begun.transaction.commit() : begun.transaction.abort());
      if (isCommit) wanted.push(...begun.bodies);
    };
    for (let i = 0; i < 120; i++) {
      const producer = random.pick(some);
      const dice = random.below(10);
      if (dice < 3) {
        await cluster.elsewhere.inboxes.append(owner, message(owner, `plain ${i}`));
        wanted.push(`plain ${i}`);
        writers.set(`plain ${i}`, null);
      } else if (dice < 8) {
        const begun = open.get(producer) ?? { transaction: await producer.transaction(), bodies: [] };
        open.set(producer, begun);
        await write(begun.transaction, owner, `part ${i}`);
        begun.bodies.push(`part ${i}`);
        writers.set(`part ${i}`, producer);
      } else {
        await end(producer, random.below(2) === 0);
      }
      if (random.below(10) === 0) reader.inbox.pause();
      else reader.inbox.resume();
    }
    for (const producer of some) await end(producer, true);
    reader.inbox.resume();
    await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(wanted.length));
    // Each producer's in their order, and those of us likewise.
    for (const producer of [null, ...some]) {
      const own = wanted.filter((body) => writers.get(body) === producer);
      expect(reader.bodies().filter((body) => writers.get(body) === producer)).toEqual(own);
    }
    expect(reader.pushed).toHaveLength(wanted.length);
    for (const { offset } of reader.pushed) reader.inbox.acknowledge(offset, offset);
    await eventually(async () => expect(await reader.inbox.undelivered()).toBe(0));
    await reader.inbox.close();
  });
});
