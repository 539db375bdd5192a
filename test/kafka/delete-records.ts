import { deleteRecordsV2 } from '@platformatic/kafka';
import { expect } from 'vitest';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../broker/brokers.ts';

/** Deletes what is in front of an offset of somebody's inbox, as an operator may with kafka-delete-records. */
export function deleteBelow(name: string, offset: number): Promise<void> {
  return deleteRecordsBelow(`milena.inbox.${name}`, offset);
}

/** The same of any topic. */
export async function deleteRecordsBelow(topic: string, offset: number): Promise<void> {
  const cluster = new Cluster({ bootstrap: testBrokers(), clientId: 'operator' });
  const { node } = await cluster.leader(topic);
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset: BigInt(offset) }] }];
  const response = await cluster.request(node, 'control', deleteRecordsV2.api, topics, 5_000);
  expect(response.topics[0]?.partitions[0]?.errorCode).toBe(0);
  await cluster.close();
}
