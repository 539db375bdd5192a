import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBroker } from './broker.ts';
import { testBrokers } from './brokers.ts';
import type { JvmBroker } from './jvm-broker.ts';

/** The settings of one broker as it really runs with them. */
async function settingsOf(brokers: string[]): Promise<Map<string, string>> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const [node] = (await admin.describeCluster()).brokers;
    if (node === undefined) throw new Error('a cluster without brokers');
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 4, name: String(node.nodeId) }],
    });
    return new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]));
  } finally {
    await admin.disconnect();
  }
}

async function topicsOf(brokers: string[]): Promise<string[]> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describe('the broker of the test run', () => {
  it.skipIf(process.env.MILENA_TEST_KAFKA_BROKERS)(
    'runs with the settings that the engine relies on (not checked where an address was given: that broker is not ours)',
    async () => {
      const settings = await settingsOf(testBrokers());
      const wanted = {
        'offsets.retention.minutes': '2147483647',
        'group.initial.rebalance.delay.ms': '0',
        'auto.create.topics.enable': 'false',
        'log.index.size.max.bytes': '65536',
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
        'transactional.id.expiration.ms': '3600000',
        'max.incremental.fetch.session.cache.slots': '10000',
      };
      expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, settings.get(name)]))).toEqual(
        wanted,
      );
    },
  );
});

describe('a broker of one test', () => {
  let broker: JvmBroker;
  beforeAll(async () => {
    broker = await startBroker({ properties: { 'message.max.bytes': '123456' } });
  });
  afterAll(() => broker.stop());

  it('takes settings of its own', async () => {
    expect((await settingsOf([broker.brokers])).get('message.max.bytes')).toBe('123456');
  });

  it('is gone when killed and has its data and its port when started again', async () => {
    const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'kept' }] });
    await admin.disconnect();
    const pid = broker.pid;
    if (pid === undefined) throw new Error('a running broker without a pid');

    await broker.kill();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(broker.pid).toBeUndefined();

    await broker.start();
    expect(broker.pid).not.toBe(pid);
    expect(await topicsOf([broker.brokers])).toContain('kept');
  });
});
