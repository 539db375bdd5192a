import { FetchIsolationLevels, listOffsetsV9, metadataV12 } from '@platformatic/kafka';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode } from '../wire/kafka-error.ts';

/** A topic's id, and its partitions by the broker that leads them. */
export interface Partitions {
  readonly topicId: string;
  readonly byNode: ReadonlyMap<number, readonly number[]>;
}

/** Looks a topic up, and the brokers. @throws the network's error; KafkaError */
export async function findPartitions(cluster: Cluster, topic: string): Promise<Partitions> {
  const response = await cluster.requestAny(metadataV12.api, [topic], false, false);
  await cluster.connect();
  const [found] = response.topics;
  expectNone(`Metadata ${topic}`, found?.errorCode ?? KafkaCode.UNKNOWN_TOPIC_OR_PARTITION);
  const byNode = new Map<number, number[]>();
  for (const { partitionIndex, leaderId, errorCode } of found?.partitions ?? []) {
    expectNone(`Metadata ${topic}`, errorCode);
    byNode.set(leaderId, [...(byNode.get(leaderId) ?? []), partitionIndex]);
  }
  return { topicId: found?.topicId ?? '', byNode };
}

/**
 * Where partitions begin or end that one broker leads.
 * @param timestamp Kafka's word for either: `ListOffsetTimestamps`
 * @param isolation with READ_COMMITTED they end in front of the first transaction that is open
 * @returns offsets by partition
 * @throws the network's error; KafkaError
 */
export async function listPartitionOffsets(
  cluster: Cluster,
  node: number,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
  isolation: number = FetchIsolationLevels.READ_UNCOMMITTED,
): Promise<Map<number, number>> {
  const wanted = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }));
  const response = await cluster.request(node, 'read', listOffsetsV9.api, -1, isolation, [
    { name: topic, partitions: wanted },
  ]);
  const offsets = new Map<number, number>();
  for (const { partitionIndex, errorCode, offset } of response.topics[0]?.partitions ?? []) {
    expectNone(`ListOffsets ${topic}`, errorCode);
    offsets.set(partitionIndex, Number(offset));
  }
  return offsets;
}
