import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/kafka/accounts.ts';
import { startBroker } from '../broker/broker.ts';
import { kafkaTool } from '../broker/kafka-tool.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { appendAll, numbered, observe, type TestCluster, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster } from './cluster.ts';

/** What should follow from an operator's or another program's act, and does not yet: each fails until it is mended. */
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

  /** Somebody who has received all of five messages, and is away. */
  async function away(stem: string): Promise<Account> {
    const owner = await cluster.here.accounts.create({ name: uniqueName(stem) });
    await appendAll(cluster.here, owner, owner, numbered('m', 5));
    const { inbox } = await observe(cluster.here, owner);
    const read = await inbox.read({ maxBytes: 1_000_000 });
    inbox.acknowledge(0, read.at(-1)?.offset ?? -1);
    await inbox.close();
    return owner;
  }

  it('a share group of an inbox’s name keeps nobody out', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('share') });
    const topic = inboxOf(owner);
    // It has nobody in it by then, and stays all the same. The tool calls it a failure that nothing came.
    await kafkaTool(broker.brokers, 'console-share-consumer', [
      ...['--topic', topic, '--group', topic, '--timeout-ms', '5000'],
    ]).catch(() => {});
    const { inbox } = await observe(cluster.here, owner);
    await inbox.close();
  });

  it.fails('what was received and trimmed is not told as gone unread where the position is lost', async () => {
    const owner = await away('trimmed');
    const topic = inboxOf(owner);
    const folder = mkdtempSync(join(tmpdir(), 'milena-trimmed-'));
    try {
      const file = join(folder, 'below.json');
      writeFileSync(file, JSON.stringify({ partitions: [{ topic, partition: 0, offset: 4 }], version: 1 }));
      await kafkaTool(broker.brokers, 'delete-records', ['--offset-json-file', file]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    await kafkaTool(broker.brokers, 'consumer-groups', ['--delete', '--group', topic]);
    const { inbox } = await observe(cluster.here, owner);
    const { gone } = inbox.surprise;
    await inbox.close();
    expect(gone).toBe(0);
  });
});
