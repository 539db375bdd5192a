import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Account } from '../../src/kafka/accounts.ts';
import { startBroker } from '../broker/broker.ts';
import { kafkaTool } from '../broker/kafka-tool.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { observe, type TestCluster, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster } from './cluster.ts';

/** Acts with Kafka's own tools, which do with a group what a program of somebody else's may do. */
describe('acts with Kafka’s own tools', { timeout: 180_000 }, () => {
  let broker: TestBroker;
  let cluster: TestCluster;

  beforeAll(async () => {
    broker = await startBroker();
    cluster = await kafkaCluster([broker.brokers]);
  });
  afterAll(async () => {
    await cluster?.close();
    await broker?.stop();
  });

  const inboxOf = ({ name }: Account) => `milena.inbox.${name}`;

  it('a share group of an inbox’s name keeps nobody out', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('share') });
    const topic = inboxOf(owner);
    await kafkaTool(broker.brokers, 'consumer-groups', ['--delete', '--group', topic]);
    // It has nobody in it by then, and stays all the same. The tool calls it a failure that nothing came.
    await kafkaTool(broker.brokers, 'console-share-consumer', [
      ...['--topic', topic, '--group', topic, '--timeout-ms', '5000'],
    ]).catch(() => {});
    const { inbox } = await observe(cluster.here, owner);
    await inbox.close();
  });
});
