/** Records that Kafka takes and no library writes: bytes that are odd, or no record at all to a strict reader. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newClusterKey } from '../../src/core/cluster-key.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { CompactedTable } from '../../src/storage/kafka/tables/compacted-table.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { encodeBatch } from '../../src/storage/kafka/wire/record-batch.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { ACCOUNTS_TOPIC } from '../../src/storage/kafka/wire/topics.ts';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { makeTopics } from '../broker/topics.ts';
import { eventually, message, observe, type TestCluster, textOf, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster, testConfig, testLog, witness } from './cluster.ts';
import { appendRaw } from './raw-append.ts';

/** 2, in five bytes, with a bit beyond the 32 that Kafka looks at. */
const ODD_TWO = [0x84, 0x80, 0x80, 0x80, 0x10];
const TWO = [4];

const oddKey = Buffer.from([...ODD_TWO, ...Buffer.from('kk'), ...TWO, ...Buffer.from('v1'), 0]);
const oddHeader = Buffer.from([
  ...[...TWO, ...Buffer.from('kk'), ...TWO, ...Buffer.from('v2')],
  ...[2, ...ODD_TWO, ...Buffer.from('hh'), 2, 65],
]);

describe('records with odd numbers', () => {
  const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'odd' });
  let cluster: TestCluster;

  beforeAll(async () => {
    await raw.connect();
    cluster = await kafkaCluster();
  });
  afterAll(async () => {
    await raw.close();
    await cluster.close();
  });

  async function write(topic: string, content: Buffer): Promise<void> {
    const bytes = encodeBatch([content], { id: -1n, epoch: -1 }, -1, Date.now());
    expect(await appendRaw(raw, topic, bytes), 'Kafka takes it').toBe(0);
  }

  it('reach their owner as Kafka reads them, live and later', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('odd') });
    const topic = `milena.inbox.${owner.name}`;
    const { inbox, pushed } = await observe(cluster.here, owner);
    for (const content of [oddKey, oddHeader]) await write(topic, content);
    await cluster.elsewhere.inboxes.append(owner, message(owner, 'after'));
    const bodies = ['v1', 'v2', 'after'];
    await eventually(() => expect(pushed.map(textOf)).toEqual(bodies));
    await inbox.close();
    const later = (await observe(cluster.here, owner)).inbox;
    expect((await later.read({ maxBytes: 100_000 })).map(textOf)).toEqual(bodies);
    later.acknowledge(0, 2);
    await eventually(async () => expect(await later.undelivered()).toBe(0));
    await later.close();
  });

  it('do not stop the table of accounts, here or in a frontend that starts', async () => {
    for (const content of [oddKey, oddHeader]) await write(ACCOUNTS_TOPIC, content);
    const { name } = await cluster.here.accounts.create({ name: uniqueName('after') });
    const engine = await openKafkaStorage(testConfig(), testLog);
    expect(await engine.accounts.find(name)).toMatchObject({ name });
    await engine.close();
  });
});

it('a table whose topic is made anew shows what is in the new one, keeps what it knew, and no key that is too long', async () => {
  const kafka = witness();
  const [admin, producer] = [kafka.admin(), kafka.producer(STORED_ONCE)];
  const cluster = new Cluster({ bootstrap: testBrokers(), clientId: 'anew' });
  const topic = uniqueName('table');
  const trusting = new Trust(new Signer([newClusterKey()]), new BrokerClock(), true, 0);
  const table = new CompactedTable<string>({
    ...{ cluster, log: testLog, topic },
    pack: (_key, value) => value.toString(),
    unpack: (_key, packed) => packed,
    encode: (value) => Buffer.from(value),
    ...{ trust: trusting, appender: { append: () => Promise.reject(new Error('not asked for')) } },
  });
  const make = () => makeTopics(admin, [{ topic }]);
  try {
    await Promise.all([admin.connect(), producer.connect(), cluster.connect()]);
    await make();
    const long = { key: 'k'.repeat(1_000), value: 'x' };
    await producer.send({ topic, messages: [long, { ...long, value: null }] });
    const old = Array.from({ length: 5 }, (_, i) => ({ key: `old ${i}`, value: 'x' }));
    await producer.send({ topic, messages: old });
    await table.read(now() + 10_000);
    await eventually(() => expect(table.contents.size).toBe(5));
    await admin.deleteTopics({ topics: [topic] });
    await eventually(make);
    await producer.send({ topic, messages: [{ key: 'new', value: 'y' }] });
    await eventually(() =>
      expect([table.contents.size, table.get('new'), table.get('old 1')]).toEqual([6, 'y', 'x']),
    );
  } finally {
    await table.close();
    await cluster.close();
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
});
