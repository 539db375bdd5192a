import { FetchIsolationLevels, ListOffsetTimestamps, listOffsetsV9, metadataV12 } from '@platformatic/kafka';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Cluster } from '../wire/cluster.ts';
import { type FetchedTopic, fetch, wanted } from '../wire/fetch.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';

/** A topic's id, and its partitions by the broker that leads them. */
export interface Partitions {
  readonly topicId: string;
  readonly byNode: ReadonlyMap<number, readonly number[]>;
  /** Nobody leads them now. */
  readonly leaderless: readonly number[];
}

/** Looks a topic up, and the brokers. @throws the network's error; KafkaError */
export async function findPartitions(cluster: Cluster, topic: string): Promise<Partitions> {
  const response = await cluster.requestAny(metadataV12.api, [topic], false, false);
  await cluster.connect();
  const [found] = response.topics;
  expectNone(`Metadata ${topic}`, found?.errorCode ?? KafkaCode.UNKNOWN_TOPIC_OR_PARTITION);
  const byNode = new Map<number, number[]>();
  const leaderless: number[] = [];
  for (const { partitionIndex, leaderId, errorCode } of found?.partitions ?? []) {
    const led = byNode.get(leaderId);
    if (errorCode !== KafkaCode.NONE || leaderId < 0) leaderless.push(partitionIndex);
    else if (led === undefined) byNode.set(leaderId, [partitionIndex]);
    else led.push(partitionIndex);
  }
  return { topicId: found?.topicId ?? '', byNode, leaderless };
}

/** For who reads all of a topic, or nothing. @throws KafkaError where partitions have no leader */
export function expectAllLed(topic: string, { leaderless }: Partitions): void {
  if (leaderless.length > 0) throw new KafkaError(`Metadata ${topic}`, KafkaCode.LEADER_NOT_AVAILABLE);
}

/**
 * Where partitions begin or end that one broker leads.
 * @param timestamp Kafka's word for either: `ListOffsetTimestamps`
 * @returns offsets by partition
 * @throws the network's error; KafkaError
 */
export async function listPartitionOffsets(
  cluster: Cluster,
  node: number,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<Map<number, number>> {
  const { READ_UNCOMMITTED } = FetchIsolationLevels;
  const offsets = new Map<number, number>();
  for (const [partition, offset] of await askOffsets(
    cluster,
    node,
    topic,
    partitions,
    timestamp,
    READ_UNCOMMITTED,
  )) {
    if (offset instanceof KafkaError) throw offset;
    offsets.set(partition, offset);
  }
  return offsets;
}

/**
 * Where they end in front of the first transaction that is open.
 * @returns offsets by partition, or why that is not known
 * @throws the network's error
 */
export function listCommittedEnds(
  cluster: Cluster,
  node: number,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, number | KafkaError>> {
  const { READ_COMMITTED } = FetchIsolationLevels;
  return askOffsets(cluster, node, topic, partitions, ListOffsetTimestamps.LATEST, READ_COMMITTED);
}

async function askOffsets(
  cluster: Cluster,
  node: number,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
  isolation: number,
): Promise<Map<number, number | KafkaError>> {
  const wanted = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }));
  const response = await cluster.request(node, 'read', listOffsetsV9.api, -1, isolation, [
    { name: topic, partitions: wanted },
  ]);
  return new Map(
    response.topics[0]?.partitions.map(({ partitionIndex, errorCode, offset }) => {
      const isKnown = errorCode === KafkaCode.NONE;
      return [partitionIndex, isKnown ? Number(offset) : new KafkaError(`ListOffsets ${topic}`, errorCode)];
    }),
  );
}

/** A partition, who leads it, and an offset in it. */
export interface LogPlace {
  readonly node: number;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * One fetch of one partition, outside any session, that returns at once.
 * @param isolation Kafka's word: `FetchIsolationLevels`
 * @returns null where the offset is not in the log
 * @throws the network's error; KafkaError
 */
export async function fetchFrom(
  cluster: Cluster,
  { node, topic, topicId, partition, offset }: LogPlace,
  maxBytes: number,
  isolation: number,
): Promise<FetchedTopic | null> {
  const place = { offset, epoch: UNKNOWN_EPOCH };
  const asked = [wanted(topicId, place, UNKNOWN_EPOCH, maxBytes, partition)];
  const response = await cluster.request(
    node,
    'read',
    fetch,
    0,
    1,
    maxBytes,
    isolation,
    0,
    -1,
    asked,
    [],
    '',
  );
  const [found] = response.topics;
  const code = response.errorCode || (found?.errorCode ?? KafkaCode.NONE);
  if (code === KafkaCode.OFFSET_OUT_OF_RANGE) return null;
  expectNone(`Fetch ${topic}`, code);
  if (found === undefined || (found.records.length === 0 && response.throttleTimeMs > 0))
    throw new KafkaError(`Fetch ${topic}`, KafkaCode.THROTTLING_QUOTA_EXCEEDED);
  return found;
}
