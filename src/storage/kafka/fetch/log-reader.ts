import { FetchIsolationLevels, ListOffsetTimestamps, listOffsetsV9 } from '@platformatic/kafka';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { type Markers, markersOf } from '../inbox/held-back.ts';
import { askByNode } from '../wire/by-node.ts';
import type { Cluster } from '../wire/cluster.ts';
import { fetch, wanted } from '../wire/fetch.ts';
import { type ReadRecords, readRecords } from '../wire/fetched-records.ts';
import { expectNone, isRetriable, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { type LogBatch, type Marker, readBatches } from '../wire/log-batch.ts';
import { now, retry } from '../wire/retry.ts';

/** First offset that is still there, and the one that the next record will get. */
export interface LogBounds {
  readonly start: number;
  readonly end: number;
  /** Leader epoch under which it is appended to now. */
  readonly epoch: number;
}

/** From where on to read, and the leader epoch of the record in front of that: -1 where it is not to be checked. */
export interface LogPosition {
  readonly offset: number;
  readonly epoch: number;
}

/** What the broker lists of one partition. */
type Listed = listOffsetsV9.ListOffsetResponsePartition;

const MAX_WAIT_MS = 0;

/**
 * Where a topic's partition 0 starts and ends now.
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_OR_PARTITION
 */
export async function readBounds(cluster: Cluster, topic: string, deadline: number): Promise<LogBounds> {
  return retry(`bounds of ${topic}`, deadline, async () => {
    const [bounds] = await listBounds(cluster, [topic]);
    if (bounds === undefined || bounds instanceof Error) throw bounds ?? new Error('no answer');
    return bounds;
  });
}

/**
 * The same of many topics, with one request of each kind per broker; the error instead where that failed for one.
 * @throws EngineError `UNAVAILABLE`
 */
export function readManyBounds(
  cluster: Cluster,
  topics: readonly string[],
  deadline: number,
): Promise<(LogBounds | Error)[]> {
  return retry('bounds', deadline, () => listBounds(cluster, topics));
}

async function listBounds(cluster: Cluster, topics: readonly string[]): Promise<(LogBounds | Error)[]> {
  const [starts, ends] = await Promise.all([
    listOffsets(cluster, topics, ListOffsetTimestamps.EARLIEST, offsetOf),
    listOffsets(cluster, topics, ListOffsetTimestamps.LATEST, (listed) => listed),
  ]);
  return topics.map((topic) => {
    const [start, last] = [starts.get(topic), ends.get(topic)];
    if (start instanceof Error || last instanceof Error)
      return start instanceof Error ? start : (last as Error);
    if (start === undefined || last === undefined) {
      return new KafkaError(`bounds of ${topic}`, KafkaCode.REQUEST_TIMED_OUT);
    }
    return { start, end: offsetOf(last), epoch: last.leaderEpoch };
  });
}

function offsetOf({ offset }: Listed): number {
  return Number(offset);
}

/**
 * Where many topics end now: their high watermarks, whatever transactions are open. The error where that failed for one.
 * @throws EngineError `UNAVAILABLE`
 */
export async function readManyEnds(
  cluster: Cluster,
  topics: readonly string[],
  deadline: number,
): Promise<(number | Error)[]> {
  const ends = await retry('ends', deadline, () =>
    listOffsets(cluster, topics, ListOffsetTimestamps.LATEST, offsetOf),
  );
  return topics.map(
    (topic) => ends.get(topic) ?? new KafkaError(`end of ${topic}`, KafkaCode.REQUEST_TIMED_OUT),
  );
}

/**
 * Asks for one offset by Kafka's special timestamps. Never by time: for that the broker unpacks the first batch which may fit, in its
 * heap and without a bound, and one that somebody has made for the purpose ends it. `offsetSince` asks for no such thing.
 */
export async function listOffset(cluster: Cluster, topic: string, timestamp: bigint): Promise<number> {
  const found = (await listOffsets(cluster, [topic], timestamp, offsetOf)).get(topic);
  if (typeof found !== 'number') throw found ?? new KafkaError('ListOffsets', KafkaCode.REQUEST_TIMED_OUT);
  return found;
}

/** The same for many topics. @returns what is picked of the answer, or why there is none, by topic */
function listOffsets<T>(
  cluster: Cluster,
  topics: readonly string[],
  timestamp: bigint,
  pick: (listed: Listed) => T,
): Promise<Map<string, T | Error>> {
  return askByNode<T>(topics, {
    nodeOf: async (topic) => (await cluster.leader(topic)).node,
    ask: (node, led, found) => listOffsetsAt(cluster, node, led, timestamp, pick, found),
    forget: (topic) => cluster.forgetLeader(topic),
  });
}

/**
 * Where topics that a broker leads end now; the error where that failed for one.
 * @throws the network's error
 */
export async function readEndsAt(
  cluster: Cluster,
  node: number,
  topics: readonly string[],
): Promise<Map<string, number | Error>> {
  const ends = new Map<string, number | Error>();
  await listOffsetsAt(cluster, node, topics, ListOffsetTimestamps.LATEST, offsetOf, ends);
  return ends;
}

async function listOffsetsAt<T>(
  cluster: Cluster,
  node: number,
  topics: readonly string[],
  timestamp: bigint,
  pick: (listed: Listed) => T,
  found: Map<string, T | Error>,
): Promise<void> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }];
  const response = await cluster.request(
    node,
    'control',
    listOffsetsV9.api,
    -1,
    FetchIsolationLevels.READ_UNCOMMITTED,
    topics.map((name) => ({ name, partitions })),
  );
  for (const { name, partitions: answers } of response.topics) {
    const [listed] = answers;
    if (listed?.errorCode === KafkaCode.NONE) {
      found.set(name, pick(listed));
      continue;
    }
    const code = listed?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
    if (isRetriable(code) || code === KafkaCode.UNKNOWN_TOPIC_OR_PARTITION) cluster.forgetLeader(name);
    found.set(name, new KafkaError(`ListOffsets ${name}`, code));
  }
}

/**
 * Records from a place on, as many as one fetch brings.
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_ID; OFFSET_OUT_OF_RANGE, also where the log has other records
 * in front of that place by now
 */
export async function readLog(
  cluster: Cluster,
  inbox: { readonly topic: string; readonly topicId: string },
  place: LogPosition,
  maxBytes: number,
  deadline: number,
): Promise<ReadRecords> {
  return readRecords(await fetchBatches(cluster, inbox, place, maxBytes, deadline), place.offset);
}

/**
 * The batch that holds an offset, or the next one behind it; null where the log has neither.
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_ID
 */
export async function readBatchFrom(
  cluster: Cluster,
  inbox: { readonly topic: string; readonly topicId: string },
  offset: number,
  deadline: number,
): Promise<LogBatch | null> {
  try {
    const place = { offset, epoch: UNKNOWN_EPOCH };
    const [batch] = readBatches(await fetchBatches(cluster, inbox, place, 1, deadline));
    return batch !== undefined && offset < batch.nextOffset ? batch : null;
  } catch (error) {
    if (error instanceof KafkaError && error.kafkaCode === KafkaCode.OFFSET_OUT_OF_RANGE) return null;
    throw error;
  }
}

/** Bytes that `offsetSince` fetches first, and at most; and how often. */
const FIRST_READ_BYTES = 16 * 1024;
const READ_BYTES = 1024 * 1024;
const MAX_READS = 64;

/** Records, and what of the log tells how those stand that are of a transaction. */
export interface DecidedRecords extends ReadRecords {
  readonly ends: Markers;
}

/**
 * As `readLog`, with the ends of all transactions of these records, however far behind them they lie: one that is missing is not
 * there yet.
 * @throws likewise
 */
export async function readDecided(
  cluster: Cluster,
  inbox: { readonly topic: string; readonly topicId: string },
  place: LogPosition,
  maxBytes: number,
  deadline: number,
): Promise<DecidedRecords> {
  const read = await readLog(cluster, inbox, place, maxBytes, deadline);
  const ends = markersOf(read.markers);
  const open = new Set<number>();
  for (const { transactionOf, offset } of read.records) {
    if (transactionOf !== null && !ends.after(transactionOf, offset)) open.add(transactionOf);
  }
  if (open.size === 0) return { ...read, ends };
  const later = await readMarkers(cluster, inbox, read.nextOffset, open, deadline);
  return { ...read, ends: markersOf([...read.markers, ...later]) };
}

/** The next ends of some producers' transactions, from an offset on: as far as the log goes, or until the deadline. */
async function readMarkers(
  cluster: Cluster,
  inbox: { readonly topic: string; readonly topicId: string },
  from: number,
  producers: Iterable<number>,
  deadline: number,
): Promise<Marker[]> {
  const markers: Marker[] = [];
  const missing = new Set(producers);
  for (let position = from; missing.size > 0 && now() < deadline; ) {
    const place = { offset: position, epoch: UNKNOWN_EPOCH };
    const batches = readBatches(await fetchBatches(cluster, inbox, place, READ_BYTES, deadline));
    const last = batches.at(-1);
    if (last === undefined) break;
    for (const { marker } of batches) {
      if (marker && marker.offset >= from && missing.delete(marker.producerId)) markers.push(marker);
    }
    position = last.nextOffset;
  }
  return markers;
}

/**
 * Where the batches begin that were appended at a time or later, as the heads of batches tell: none is unpacked.
 * @param from the first offset that is looked at, in the log
 * @param below where the search ends
 * @param time milliseconds since the epoch
 * @returns an offset up to `below`; a lower one when 64 MiB were looked at, so that the rest is for another time
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_ID, OFFSET_OUT_OF_RANGE
 */
export async function offsetSince(
  cluster: Cluster,
  inbox: { readonly topic: string; readonly topicId: string },
  { from, below, time }: { readonly from: number; readonly below: number; readonly time: number },
  deadline: number,
): Promise<number> {
  let found = from;
  for (let reads = 0, bytes = FIRST_READ_BYTES; reads < MAX_READS && found < below; reads++) {
    const place = { offset: found, epoch: UNKNOWN_EPOCH };
    const fetched = await fetchBatches(cluster, inbox, place, bytes, deadline);
    const batches = readBatches(fetched);
    if (batches.length === 0) break;
    for (const { nextOffset, maxTimestamp } of batches) {
      if (maxTimestamp >= time) return found;
      found = Math.min(nextOffset, below);
    }
    bytes = Math.min(2 * bytes, READ_BYTES);
  }
  return found;
}

/**
 * One fetch outside any session, from a place on; returns at once when there is nothing.
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_ID, OFFSET_OUT_OF_RANGE
 */
function fetchBatches(
  cluster: Cluster,
  { topic, topicId }: { readonly topic: string; readonly topicId: string },
  place: LogPosition,
  maxBytes: number,
  deadline: number,
): Promise<Buffer> {
  return retry(`read ${topic}`, deadline, async () => {
    const { node, epoch } = await cluster.leader(topic);
    const response = await cluster.request(
      node,
      'read',
      fetch,
      MAX_WAIT_MS,
      1,
      maxBytes,
      FetchIsolationLevels.READ_UNCOMMITTED,
      0,
      -1,
      [wanted(topicId, place, epoch, maxBytes)],
      [],
      '',
    );
    const [found] = response.topics;
    const code =
      response.errorCode || (found?.parts ? KafkaCode.OFFSET_OUT_OF_RANGE : (found?.errorCode ?? 0));
    if (isRetriable(code)) cluster.forgetLeader(topic);
    expectNone(`Fetch ${topic}`, code);
    return found?.records ?? Buffer.alloc(0);
  });
}
