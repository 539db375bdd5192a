import { Kafka, logLevel } from 'kafkajs';
import { pino } from 'pino';
import { parseClusterKeys } from '../../src/config/cluster-keys.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { TEST_KEYS, testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import type { TestCluster } from '../contracts/cluster.ts';

/** The configuration that tests give an engine: the shared broker, defaults otherwise. */
export function testConfig(environment: Record<string, string> = {}): Config {
  return readConfig({
    MILENA_KAFKA_BROKERS: testBrokers().join(','),
    MILENA_CLUSTER_KEYS: TEST_KEYS,
    ...environment,
  });
}

/** What frontends with the test's keys believe. */
export const testTrust = new Trust(
  new Signer(parseClusterKeys(TEST_KEYS, 'TEST_KEYS')),
  new BrokerClock(),
  false,
  0,
);

/** Silent unless MILENA_TEST_LOG names a level. */
export const testLog = pino({ level: process.env.MILENA_TEST_LOG ?? 'silent' });

/** An independent Kafka client, as a witness of what is really there. */
export function witness(brokers = testBrokers()): Kafka {
  return new Kafka({ clientId: 'witness', brokers, logLevel: logLevel.NOTHING });
}

/** Two engines, over the shared broker unless it must be another one. */
export async function kafkaCluster(brokers = testBrokers()): Promise<TestCluster> {
  const copies = String(Math.min(3, brokers.length));
  const config = testConfig({ MILENA_KAFKA_BROKERS: brokers.join(','), MILENA_REPLICATION_FACTOR: copies });
  const [here, elsewhere] = await Promise.all([
    openKafkaStorage(config, testLog),
    openKafkaStorage(config, testLog),
  ]);
  const producer = witness(brokers).producer(STORED_ONCE);
  await producer.connect();
  return {
    here,
    elsewhere,
    async produceRaw(account, { key, value, headers }) {
      await producer.send({
        topic: config.inboxPrefix + account.name,
        messages: [{ key: key ?? null, value, ...(headers && { headers }) }],
      });
    },
    async close() {
      await producer.disconnect();
      await Promise.all([here.close(), elsewhere.close()]);
    },
  };
}
