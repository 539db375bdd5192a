import { offsetCommitV9 } from '@platformatic/kafka';
import { expect } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../broker/brokers.ts';

/** Commits for somebody who is away, as a tool does, or a frontend of another version. */
export async function commitRaw(
  { name }: Account,
  offset: number,
  metadata: string,
  brokers: readonly string[] = testBrokers(),
): Promise<void> {
  const topic = `milena.inbox.${name}`;
  const cluster = new Cluster({ bootstrap: [...brokers], clientId: 'old' });
  const partition = {
    partitionIndex: 0,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: -1,
    committedMetadata: metadata,
  };
  const topics = [{ name: topic, partitions: [partition] }];
  const args = [topic, -1, '', null, topics] as const;
  const response = await cluster.requestCoordinator('group', topic, offsetCommitV9.api, ...args);
  expect(response.topics[0]?.partitions[0]?.errorCode).toBe(0);
  await cluster.close();
}
