import { FetchIsolationLevels } from '@platformatic/kafka';
import { RAW_BOUNDS, type RecordPlace, type TopicRecord } from '../../../core/windows.ts';
import { fetchFrom, findPartitions } from '../follow/partitions.ts';
import type { Cluster } from '../wire/cluster.ts';
import { readRecords } from '../wire/fetched-records.ts';
import { KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { eachHeader, type RawRecord } from '../wire/log-batch.ts';

/**
 * One record of any topic, whatever became of the transaction that it is of.
 * @returns null where none lies there
 * @throws the network's error; KafkaError
 */
export async function readRecord(
  cluster: Cluster,
  topic: string,
  { partition, offset }: RecordPlace,
): Promise<TopicRecord | null> {
  const { topicId, byNode, leaderless } = await findPartitions(cluster, topic);
  if (leaderless.includes(partition))
    throw new KafkaError(`Metadata ${topic}`, KafkaCode.LEADER_NOT_AVAILABLE);
  const [node] = [...byNode].find(([, led]) => led.includes(partition)) ?? [];
  if (node === undefined) return null;
  const place = { node, topic, topicId, partition, offset };
  // Of one batch, which comes whole.
  const found = await fetchFrom(cluster, place, 1, FetchIsolationLevels.READ_UNCOMMITTED);
  if (found === null) return null;
  const { records } = readRecords(found.records, offset);
  const record = records.find((one) => one.offset === offset);
  return record === undefined ? null : shown(record);
}

function shown({ timestamp, key, value, headers: bytes }: RawRecord): TopicRecord {
  const headers: { name: string; value: Uint8Array }[] = [];
  eachHeader(bytes, (nameAt, nameEnd, valueAt, valueEnd) => {
    if (headers.length === RAW_BOUNDS.headers) return;
    headers.push({
      name: bytes.toString('utf8', nameAt, Math.min(nameEnd, nameAt + RAW_BOUNDS.headerName)),
      value: bytes.subarray(valueAt, Math.min(valueEnd, valueAt + RAW_BOUNDS.headerValue)),
    });
  });
  return {
    ...{ timestamp, headers },
    key: key?.subarray(0, RAW_BOUNDS.key) ?? null,
    value: value?.subarray(0, RAW_BOUNDS.value) ?? null,
    keyBytes: key?.length ?? 0,
    valueBytes: value?.length ?? 0,
  };
}
