import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { startBroker } from '../broker/broker.ts';
import { KINDS } from '../broker/kinds.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, observe, textOf, uniqueName } from '../contracts/cluster.ts';
import { sized } from '../size.ts';
import { testConfig, testLog } from './cluster.ts';

/** Kafka's default: whoever writes to a name makes a topic of it, before anybody has an account of that name. */
const WHERE: [string, boolean][] = [
  ['where topics can be deleted', true],
  // Another broker; kafka-check.test.ts has one where a topic is taken as it is.
  ['where topics cannot be deleted', false],
];
describe.each(WHERE.slice(0, sized(1, 2)))('a topic that a producer has made, %s', (_where, canDelete) => {
  let broker: TestBroker;
  let kafka: Kafka;
  let engine: Storage;

  beforeAll(async () => {
    const properties = { ...KINDS.foreign.options.properties, 'delete.topic.enable': 'false' };
    broker = canDelete ? await borrowBroker('foreign') : await startBroker({ properties });
    kafka = new Kafka({ clientId: 'integrator', brokers: [broker.brokers], logLevel: logLevel.NOTHING });
    engine = await openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), testLog);
  });
  afterAll(async () => {
    await engine?.close();
    await broker?.stop();
  });

  async function writeTo(topic: string, count = 1): Promise<void> {
    const producer = kafka.producer({ allowAutoTopicCreation: true });
    await producer.connect();
    await producer.send({ topic, messages: Array.from({ length: count }, () => ({ value: 'early' })) });
    await producer.disconnect();
  }

  it('keeps nobody from making the account, and nothing in it is theirs', async () => {
    const name = uniqueName('ola');
    await writeTo(`milena.inbox.${name}`, 3);
    const owner = await engine.accounts.create({ name });
    const reader = await observe(engine, owner, { deliver: 'all' });
    await writeTo(`milena.inbox.${name}`);
    await engine.inboxes.append(owner, message(owner, 'hello'));
    await eventually(() => expect(reader.bodies()).toEqual(['early', 'hello']));
    expect(reader.pushed.map(({ from: { kind } }) => kind)).toEqual(['external', 'user']);
    await reader.inbox.close();
  });

  it('nor does a producer that makes it again at once', async () => {
    const name = uniqueName('stubborn');
    const topic = `milena.inbox.${name}`;
    const admin = kafka.admin();
    await admin.connect();
    let writes = 0;
    let isOver = false;
    // As librdkafka and Java do, which ask for their topics again and again.
    const stubborn = (async () => {
      while (!isOver) {
        await admin.createTopics({ topics: [{ topic }] }).catch(() => false);
        writes += 1;
      }
    })();
    await eventually(() => expect(writes).toBeGreaterThan(3));
    const owner = await engine.accounts.create({ name });
    isOver = true;
    await stubborn;
    await admin.disconnect();
    await engine.inboxes.append(owner, message(owner, 'mine'));
    const { inbox } = await observe(engine, owner);
    expect((await inbox.read({ maxBytes: 1_000 })).map(textOf)).toEqual(['mine']);
    await inbox.close();
  });

  it('a name is free again after its account is removed, and its mail is nobody’s', async () => {
    const name = uniqueName('again');
    const first = await engine.accounts.create({ name });
    await engine.inboxes.append(first, message(first, 'for the first'));
    await writeTo(`milena.inbox.${name}`);
    await engine.accounts.remove(first);
    const second = await engine.accounts.create({ name });
    const { inbox } = await observe(engine, second);
    expect(await inbox.undelivered()).toBe(0);
    expect(await inbox.read({ maxBytes: 1_000 })).toEqual([]);
    await inbox.close();
  });
});
