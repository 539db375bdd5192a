import { FetchIsolationLevels } from '@platformatic/kafka';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { RAW_BOUNDS, type RecordPlace, type TopicRecord } from '../../../core/windows.ts';
import { findPartitions } from '../follow/partitions.ts';
import type { Cluster } from '../wire/cluster.ts';
import { fetch, wanted } from '../wire/fetch.ts';
import { readRecords } from '../wire/fetched-records.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
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
  const response = await cluster.request(
    node,
    'read',
    fetch,
    0,
    1,
    // Of one batch, which comes whole.
    1,
    FetchIsolationLevels.READ_UNCOMMITTED,
    0,
    -1,
    [wanted(topicId, { offset, epoch: UNKNOWN_EPOCH }, UNKNOWN_EPOCH, 1, partition)],
    [],
    '',
  );
  const [found] = response.topics;
  const code = response.errorCode || (found?.errorCode ?? KafkaCode.NONE);
  if (code === KafkaCode.OFFSET_OUT_OF_RANGE) return null;
  expectNone(`Fetch ${topic}`, code);
  const { records } = readRecords(found?.records ?? Buffer.alloc(0), offset);
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
