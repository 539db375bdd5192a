import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  appendAll,
  eventually,
  message,
  numbered,
  observe,
  type TestCluster,
  uniqueName,
} from '../contracts/cluster.ts';
import { kafkaCluster, witness } from './cluster.ts';

/** What other Kafka clients see of an inbox: kafkajs looks, which shares no code with the engine. */
describe('seen from outside', () => {
  let cluster: TestCluster;
  let admin: Admin;

  beforeAll(async () => {
    cluster = await kafkaCluster();
    admin = witness().admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin.disconnect();
    await cluster.close();
  });

  /** Lag of an inbox's group: log end minus committed offset. */
  async function lagOf(topic: string): Promise<number> {
    const [committed] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
    const [log] = await admin.fetchTopicOffsets(topic);
    return Number(log?.offset) - Math.max(0, Number(committed?.partitions[0]?.offset));
  }

  async function membersOf(group: string): Promise<number> {
    const { groups } = await admin.describeGroups([group]);
    return groups[0]?.members.length ?? 0;
  }

  it('an inbox has one group member while it is held, and none afterwards', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('held') });
    const topic = `milena.inbox.${owner.name}`;
    expect(await membersOf(topic)).toBe(0);
    const { inbox } = await observe(cluster.here, owner);
    expect(await membersOf(topic)).toBe(1);
    await inbox.close();
    expect(await membersOf(topic)).toBe(0);
  });

  it('lag is the number of undelivered messages where nothing was acknowledged out of order', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('lag') });
    const topic = `milena.inbox.${owner.name}`;
    await appendAll(cluster.elsewhere, owner, owner, numbered('m', 7));
    expect(await lagOf(topic)).toBe(7);
    const { inbox } = await observe(cluster.here, owner);
    const read = await inbox.read({ maxBytes: 1_000, maxMessages: 3 });
    inbox.acknowledge(read[0]?.offset ?? -1, read.at(-1)?.offset ?? -1);
    expect(await inbox.undelivered()).toBe(4);
    await eventually(async () => expect(await lagOf(topic)).toBe(4));
    await inbox.close();
    expect(await lagOf(topic)).toBe(4);
  });

  it('lag is shown for an inbox that never took a message, too', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('never') });
    const topic = `milena.inbox.${owner.name}`;
    await (await observe(cluster.here, owner)).inbox.close();
    const committed = async () => {
      const [offsets] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
      return Number(offsets?.partitions[0]?.offset);
    };
    expect(await committed()).toBe(0);
    await appendAll(cluster.elsewhere, owner, owner, numbered('m', 3));
    expect(await lagOf(topic)).toBe(3);
    // Also where an operator has removed what was committed.
    await admin.deleteGroups([topic]);
    expect(await committed()).toBe(-1);
    await (await observe(cluster.elsewhere, owner)).inbox.close();
    expect(await committed()).toBe(0);
  });

  it('a discarded inbox leaves no group, a removed account no topic', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('trace') });
    const topic = `milena.inbox.${owner.name}`;
    const { inbox, pushed } = await observe(cluster.here, owner);
    await cluster.here.inboxes.append(owner, message(owner, 'x'));
    await eventually(() => expect(pushed).toHaveLength(1));
    inbox.acknowledge(0, 0);
    await cluster.here.accounts.remove(owner);
    await inbox.discard();
    await eventually(async () => {
      const { groups } = await admin.listGroups();
      expect(groups.map(({ groupId }) => groupId)).not.toContain(topic);
      expect(await admin.listTopics()).not.toContain(topic);
    });
  });

  it('a message is a plain record: sender as key, body as value, CloudEvents headers', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('plain') });
    const sent = message(owner, 'čau ☕');
    await cluster.here.inboxes.append(owner, sent);
    const consumer = witness().consumer({ groupId: uniqueName('reader') });
    await consumer.connect();
    await consumer.subscribe({ topic: `milena.inbox.${owner.name}`, fromBeginning: true });
    const seen: { key: string; value: string; headers: Record<string, string> }[] = [];
    await consumer.run({
      eachMessage: async ({ message: { key, value, headers } }) => {
        const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]);
        seen.push({ key: String(key), value: String(value), headers: Object.fromEntries(texts) });
      },
    });
    await eventually(() => expect(seen).toHaveLength(1));
    await consumer.disconnect();
    expect(seen[0]).toMatchObject({
      key: owner.name,
      value: 'čau ☕',
      headers: {
        ce_specversion: '1.0',
        ce_id: sent.id,
        ce_source: `urn:milena:user:${owner.name}`,
        ce_type: 'milena.message',
        'content-type': 'text/plain; charset=utf-8',
        'milena-from': owner.incarnation,
        'milena-to': owner.incarnation,
      },
    });
  });
});
