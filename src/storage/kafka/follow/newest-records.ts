import { FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import { EngineError } from '../../../core/errors.ts';
import { type Markers, markersOf } from '../inbox/held-back.ts';
import type { Cluster } from '../wire/cluster.ts';
import { type LeftOut, type ReadRecords, readRecords, tellLeftOut } from '../wire/fetched-records.ts';
import { KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { bytesOf, type Marker, type RawRecord } from '../wire/log-batch.ts';
import { now, retry } from '../wire/retry.ts';
import { expectAllLed, fetchFrom, findPartitions, listPartitionOffsets } from './partitions.ts';

const FETCH_BYTES = 1024 * 1024;
/** Of the records that are kept in memory; rather fewer are shown. Each counts as some more for its place. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const RECORD_BYTES = 200;
/** Offsets that are looked at in one step back. */
const MAX_STEP = 10_000;
/** Offsets that are looked at of a partition in all: behind that a compaction, or what was aborted, has left too little. */
const MAX_BACK = 1_000_000;

export interface HowToLook {
  /** Until when what is about to be done may take, on the clock of `now`. */
  readonly deadline: () => number;
  /** Told of batches that cannot be read. */
  readonly onLeftOut: (leftOut: LeftOut) => void;
}

export interface PlacedRecord {
  readonly partition: number;
  readonly record: RawRecord;
}

export interface Newest {
  /** In the order of their times; of one partition in the order of the log. */
  readonly records: readonly PlacedRecord[];
  /** Whether there are more of the newest than what is kept in memory. */
  readonly isCut: boolean;
  /** Records that wait for the end of their transaction. */
  readonly open: number;
}

/** What of one partition is the newest. */
interface Tail {
  readonly records: RawRecord[];
  readonly isCut: boolean;
  readonly open: number;
}

/**
 * The newest records of all partitions of a topic together. What was aborted is none, and what is not committed yet is none yet.
 * @param count how many
 * @throws EngineError `UNAVAILABLE` when Kafka was away, or all of it has taken too long; KafkaError
 */
export async function readNewest(
  cluster: Cluster,
  topic: string,
  count: number,
  { deadline, onLeftOut }: HowToLook,
): Promise<Newest> {
  const { byNode } = await retry(topic, deadline(), async () => {
    const found = await findPartitions(cluster, topic);
    expectAllLed(topic, found);
    return found;
  });
  let newest: Newest = { records: [], isCut: false, open: 0 };
  for (const partition of [...byNode.values()].flat().sort((a, b) => a - b)) {
    const tail = await retry(`partition ${partition} of ${topic}`, deadline(), () =>
      readTail(cluster, { topic, partition, count, deadline, onLeftOut }),
    );
    newest = withTail(newest, partition, tail, count);
  }
  return newest;
}

function withTail({ records, isCut, open }: Newest, partition: number, tail: Tail, count: number): Newest {
  const all = [...timed(records), ...timed(tail.records.map((record) => ({ partition, record })))];
  all.sort((a, b) => a.time - b.time);
  const kept = all.map(({ placed }) => placed).slice(-count);
  const fitting = withinMemory(kept, ({ record }) => record);
  return {
    records: fitting,
    isCut: isCut || tail.isCut || fitting.length < kept.length,
    open: open + tail.open,
  };
}

/** Producers set times as they like: a record counts as no later than the one behind it in its partition. */
function timed(records: readonly PlacedRecord[]): { readonly time: number; readonly placed: PlacedRecord }[] {
  const next = new Map<number, number>();
  return records
    .toReversed()
    .map((placed) => {
      const { partition, record } = placed;
      const time = Math.min(record.timestamp, next.get(partition) ?? Number.POSITIVE_INFINITY);
      next.set(partition, time);
      return { time, placed };
    })
    .reverse();
}

/** The last ones that fit. */
function withinMemory<Item>(items: readonly Item[], recordOf: (item: Item) => RawRecord): Item[] {
  let bytes = 0;
  const first = items.findLastIndex((item) => {
    bytes += bytesOf(recordOf(item)) + RECORD_BYTES;
    return bytes > MAX_HELD_BYTES;
  });
  return items.slice(first + 1);
}

interface Wanted extends HowToLook {
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
}

/** Looks at the end, and further back until there is enough. @throws the network's error; KafkaError */
async function readTail(cluster: Cluster, wish: Wanted): Promise<Tail> {
  const { topic, partition, count } = wish;
  const { topicId, byNode } = await findPartitions(cluster, topic);
  const [node] = [...byNode].find(([, partitions]) => partitions.includes(partition)) ?? [];
  if (node === undefined) throw new KafkaError(`partition ${partition}`, KafkaCode.LEADER_NOT_AVAILABLE);
  const bound = async (timestamp: bigint): Promise<number> =>
    (await listPartitionOffsets(cluster, node, topic, [partition], timestamp)).get(partition) ?? 0;
  const [start, end] = [await bound(ListOffsetTimestamps.EARLIEST), await bound(ListOffsetTimestamps.LATEST)];
  const least = Math.max(start, end - MAX_BACK);
  let found: RawRecord[] = [];
  let isCut = false;
  let open = 0;
  let markers: readonly Marker[] = [];
  for (let to = end, step = count; found.length < count && to > least && !isCut; step = 2 * step) {
    const from = Math.max(least, to - Math.min(step, MAX_STEP));
    const read = await readRange(cluster, { ...wish, node, topicId }, from, to);
    // Ends of transactions lie behind what they end, so those of further back are known, too.
    markers = [...read.markers, ...markers];
    const ends = markersOf(markers);
    const counting = read.records.filter((record) => isCommitted(record, ends) === true);
    open += read.records.filter((record) => isCommitted(record, ends) === null).length;
    const kept = [...counting, ...found].slice(-count);
    found = withinMemory(kept, (record) => record);
    isCut = read.isCut || found.length < kept.length;
    to = from;
  }
  return { records: found, isCut, open };
}

/** Null for one whose transaction has no end yet. */
function isCommitted({ transactionOf, offset }: RawRecord, ends: Markers): boolean | null {
  if (transactionOf === null) return true;
  return ends.after(transactionOf, offset)?.isCommit ?? null;
}

interface Range {
  readonly records: RawRecord[];
  readonly markers: readonly Marker[];
  readonly isCut: boolean;
}

/** The records from an offset up to in front of another one, or the last of them that fit. */
async function readRange(
  cluster: Cluster,
  {
    node,
    topic,
    topicId,
    partition,
    deadline,
    onLeftOut,
  }: Wanted & { readonly node: number; readonly topicId: string },
  from: number,
  to: number,
): Promise<Range> {
  let records: RawRecord[] = [];
  let isCut = false;
  const markers: Marker[] = [];
  for (let at = from; at < to; ) {
    if (now() > deadline()) throw new EngineError('UNAVAILABLE', `looking at ${topic} takes too long`);
    const read = await fetchRecords(cluster, node, topic, topicId, partition, at);
    // A compaction may have taken away the last ones.
    if (read.nextOffset === at) break;
    // Copies: what was fetched is a MiB around them.
    for (const record of read.records) if (record.offset < to) records.push(copyOf(record));
    markers.push(...read.markers);
    const fitting = withinMemory(records, (record) => record);
    isCut ||= fitting.length < records.length;
    records = fitting;
    tellLeftOut(partition, read, onLeftOut);
    at = read.nextOffset;
  }
  return { records, markers, isCut };
}

async function fetchRecords(
  cluster: Cluster,
  node: number,
  topic: string,
  topicId: string,
  partition: number,
  offset: number,
): Promise<ReadRecords> {
  const place = { node, topic, topicId, partition, offset };
  const found = await fetchFrom(cluster, place, FETCH_BYTES, FetchIsolationLevels.READ_UNCOMMITTED);
  // Removed meanwhile, by retention: from the beginning again.
  if (found === null) throw new KafkaError(`Fetch ${topic}`, KafkaCode.OFFSET_NOT_AVAILABLE);
  return readRecords(found.records, offset);
}

function copyOf(record: RawRecord): RawRecord {
  const { key, value, headers } = record;
  return {
    ...record,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: Buffer.from(headers),
  };
}
