import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBroker } from './broker.ts';
import { testBrokers } from './brokers.ts';
import { javaUsable } from './java.ts';
import { brokerReady } from './ready.ts';
import type { TestBroker } from './test-broker.ts';

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

const hasJava = await javaUsable();

describe('the broker of the test run', () => {
  it.skipIf(process.env.MILENA_TEST_KAFKA_BROKERS)(
    'runs with the settings that it is meant to have (not checked where an address was given: that broker is not ours)',
    async () => {
      const settings = await settingsOf(testBrokers());
      const wanted = {
        'offsets.retention.minutes': '2147483647',
        'group.initial.rebalance.delay.ms': '0',
        'group.consumer.session.timeout.ms': '1800000',
        'auto.create.topics.enable': 'false',
        'log.index.size.max.bytes': '65536',
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
        'transactional.id.expiration.ms': '3600000',
        'max.incremental.fetch.session.cache.slots': '10000',
        'broker.session.timeout.ms': '3000',
        'broker.heartbeat.interval.ms': '500',
      };
      expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, settings.get(name)]))).toEqual(
        wanted,
      );
    },
  );
});

describe('a broker of one test', () => {
  let broker: TestBroker;
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

    await broker.kill();
    await expect(brokerReady(broker.brokers, { timeoutMs: 0 })).rejects.toThrow('no broker answers');

    await broker.start();
    expect(await topicsOf([broker.brokers])).toContain('kept');
  });
});

describe('a broker whose test process is killed', () => {
  const reason = 'a container is removed by the reaper of testcontainers instead';
  it.skipIf(!hasJava)(`dies with it and leaves no data (not without Java: ${reason})`, async () => {
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'abandoned.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(existsSync(folder)).toBe(true);
    owner.kill('SIGKILL');
    await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
