import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidText } from '../../src/util/uuid.ts';
import { testBrokers } from '../broker/brokers.ts';
import { javaUsable } from '../broker/java.ts';
import {
  appendAll,
  eventually,
  message,
  numbered,
  observe,
  type TestCluster,
  uniqueName,
} from '../contracts/cluster.ts';
import { runScript } from '../e2e/script.ts';
import { kafkaCluster, witness } from './cluster.ts';

const hasJava = await javaUsable();

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

  it('somebody is in an inbox’s group while it is held, and nobody afterwards', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('held') });
    const topic = `milena.inbox.${owner.name}`;
    const { inbox } = await observe(cluster.here, owner);
    // Kafka's code for a group that is not empty.
    await expect(admin.deleteGroups([topic])).rejects.toMatchObject({ groups: [{ errorCode: 68 }] });
    await inbox.close();
    await admin.deleteGroups([topic]);
  });

  it.skipIf(!hasJava)('Kafka’s own tool shows who holds it, and the lag (not without Java)', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('shown') });
    const topic = `milena.inbox.${owner.name}`;
    const { inbox } = await observe(cluster.here, owner);
    const offsets = await appendAll(cluster.here, owner, owner, numbered('m', 5));
    await inbox.read({ maxBytes: 10_000 });
    inbox.acknowledge(offsets[0] ?? -1, offsets[1] ?? -1);
    await eventually(async () => expect(await lagOf(topic)).toBe(3));
    const { stdout } = await runScript(
      'scripts/kafka-tool.sh',
      ['consumer-groups', '--describe', '--group', topic],
      { settings: { MILENA_KAFKA_BROKERS: testBrokers().join(',') } },
    );
    // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID
    const [, , partition, ...rest] =
      stdout
        .split('\n')
        .find((line) => line.startsWith(topic))
        ?.split(/\s+/) ?? [];
    expect([partition, ...rest.slice(0, 3)]).toEqual(['0', '2', '5', '3']);
    expect(rest[3]).toMatch(/^[0-9a-f-]{36}\.[0-9a-f-]{36}$/);
    await inbox.close();
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
        ce_id: uuidText(sent.id),
        ce_source: `urn:milena:user:${owner.name}`,
        ce_type: 'milena.message',
        'content-type': 'text/plain; charset=utf-8',
        'milena-from': uuidText(owner.incarnation),
        'milena-to': uuidText(owner.incarnation),
      },
    });
  });
});
