import { FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import { fetchFrom, type LogPlace, listPartitionOffsets } from '../follow/partitions.ts';
import { markersOf } from '../inbox/held-back.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { AbortedTransaction } from '../wire/fetch.ts';
import { type ReadRecords, readRecords } from '../wire/fetched-records.ts';
import { KafkaCode, KafkaError } from '../wire/kafka-error.ts';

/** Bytes of one fetch. */
const FETCH_BYTES = 1024 * 1024;

/**
 * Records of any partition from an offset on, as many as one fetch brings: what is of an open transaction is not there yet, and
 * what was aborted is no record.
 * @returns the offset of the first one that is still there, where that is behind the one asked for
 * @throws the network's error; KafkaError
 */
export async function readCommitted(cluster: Cluster, place: LogPlace): Promise<ReadRecords | number> {
  const { topic, partition, node, offset } = place;
  const found = await fetchFrom(cluster, place, FETCH_BYTES, FetchIsolationLevels.READ_COMMITTED);
  if (found === null) {
    const starts = await listPartitionOffsets(
      cluster,
      node,
      topic,
      [partition],
      ListOffsetTimestamps.EARLIEST,
    );
    const start = starts.get(partition) ?? 0;
    if (start > offset) return start;
    throw new KafkaError(`Fetch ${topic}`, KafkaCode.OFFSET_NOT_AVAILABLE);
  }
  return withoutAborted(readRecords(found.records, offset), found.aborted);
}

/** Where partitions begin; without those whose leaders do not tell. Never rejects. */
export async function startsOf(
  cluster: Cluster,
  topic: string,
  partitions: readonly (readonly [partition: number, { readonly node: number }])[],
): Promise<Map<number, number>> {
  const { EARLIEST } = ListOffsetTimestamps;
  const nodes = [...new Set(partitions.map(([, { node }]) => node))];
  const asked = nodes.map((node) => {
    const led = partitions.filter((one) => one[1].node === node).map(([partition]) => partition);
    return listPartitionOffsets(cluster, node, topic, led, EARLIEST);
  });
  const answers = await Promise.allSettled(asked);
  return new Map(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [...answer.value] : [])));
}

/** What the markers do not say, since they lie further on, the broker's list does. */
function withoutAborted(read: ReadRecords, aborted: readonly AbortedTransaction[]): ReadRecords {
  if (read.records.every(({ transactionOf }) => transactionOf === null)) return read;
  const ends = markersOf(read.markers);
  const records = read.records.filter(({ transactionOf, offset }) => {
    if (transactionOf === null) return true;
    const end = ends.after(transactionOf, offset);
    if (end) return end.isCommit;
    return !aborted.some(
      ({ producerId, firstOffset }) =>
        producerId === transactionOf && firstOffset <= offset && !ends.after(producerId, firstOffset),
    );
  });
  return { ...read, records };
}
