import { FetchIsolationLevels, ListOffsetTimestamps, listOffsetsV9 } from '@platformatic/kafka';
import { askByNode } from './by-node.ts';
import type { Cluster } from './cluster.ts';
import { fetch, wanted } from './fetch.ts';
import { expectNone, isPassing, KafkaCode, KafkaError } from './kafka-error.ts';
import { type ReadRecords, readBatches, readRecords } from './record-batches.ts';
import { retry } from './retry.ts';

/** First offset that is still there, and the one that the next record will get. */
export interface LogBounds {
  readonly start: number;
  readonly end: number;
}

const MAX_WAIT_MS = 0;

/**
 * Where a topic's partition 0 starts and ends now.
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_OR_PARTITION
 */
export async function readBounds(cluster: Cluster, topic: string, deadline: number): Promise<LogBounds> {
  return retry(`bounds of ${topic}`, deadline, async () => {
    const ask = (timestamp: bigint) => listOffset(cluster, topic, timestamp);
    const [start, end] = await Promise.all([
      ask(ListOffsetTimestamps.EARLIEST),
      ask(ListOffsetTimestamps.LATEST),
    ]);
    return { start, end };
  });
}

/**
 * The same of many topics, with one request of each kind per broker; the error instead where that failed for one.
 * @throws EngineError `UNAVAILABLE`
 */
export async function readManyBounds(
  cluster: Cluster,
  topics: readonly string[],
  deadline: number,
): Promise<(LogBounds | Error)[]> {
  const [starts, ends] = await Promise.all([
    retry('starts', deadline, () => listOffsets(cluster, topics, ListOffsetTimestamps.EARLIEST)),
    readManyEnds(cluster, topics, deadline),
  ]);
  return topics.map((topic, index) => {
    const [start, end] = [starts.get(topic), ends[index]];
    if (typeof start === 'number' && typeof end === 'number') return { start, end };
    const failures = [start, end].filter((found) => found instanceof Error);
    return failures[0] ?? new KafkaError(`bounds of ${topic}`, KafkaCode.REQUEST_TIMED_OUT);
  });
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
  const ends = await retry('ends', deadline, () => listOffsets(cluster, topics, ListOffsetTimestamps.LATEST));
  return topics.map(
    (topic) => ends.get(topic) ?? new KafkaError(`end of ${topic}`, KafkaCode.REQUEST_TIMED_OUT),
  );
}

/**
 * Asks for one offset by Kafka's special timestamps. Never by time: for that the broker unpacks the first batch which may fit, in its
 * heap and without a bound, and one that somebody has made for the purpose ends it. `offsetSince` asks for no such thing.
 */
export async function listOffset(cluster: Cluster, topic: string, timestamp: bigint): Promise<number> {
  const found = (await listOffsets(cluster, [topic], timestamp)).get(topic);
  if (typeof found !== 'number') throw found ?? new KafkaError('ListOffsets', KafkaCode.REQUEST_TIMED_OUT);
  return found;
}

/** The same for many topics. @returns an offset, or why there is none, by topic */
function listOffsets(
  cluster: Cluster,
  topics: readonly string[],
  timestamp: bigint,
): Promise<Map<string, number | Error>> {
  return askByNode<number>(topics, {
    nodeOf: async (topic) => (await cluster.leader(topic)).node,
    ask: (node, led, found) => listOffsetsAt(cluster, node, led, timestamp, found),
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
  await listOffsetsAt(cluster, node, topics, ListOffsetTimestamps.LATEST, ends);
  return ends;
}

async function listOffsetsAt(
  cluster: Cluster,
  node: number,
  topics: readonly string[],
  timestamp: bigint,
  found: Map<string, number | Error>,
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
    const code = answers[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
    if (isPassing(code) || code === KafkaCode.UNKNOWN_TOPIC_OR_PARTITION) cluster.forgetLeader(name);
    const isGood = code === KafkaCode.NONE;
    found.set(name, isGood ? Number(answers[0]?.offset) : new KafkaError(`ListOffsets ${name}`, code));
  }
}

/**
 * Records from a position on, as many as one fetch brings. Where the log starts later by now, none, and that start.
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_ID
 */
export async function readLog(
  cluster: Cluster,
  { topic, topicId }: { readonly topic: string; readonly topicId: string },
  position: number,
  maxBytes: number,
  deadline: number,
): Promise<ReadRecords> {
  try {
    const batches = await fetchBatches(cluster, topic, topicId, position, maxBytes, deadline);
    return readRecords(batches, position);
  } catch (error) {
    if (!(error instanceof KafkaError) || error.kafkaCode !== KafkaCode.OFFSET_OUT_OF_RANGE) throw error;
    const { start } = await readBounds(cluster, topic, deadline);
    return { records: [], nextOffset: Math.max(start, position), unpackCost: 0, damage: null };
  }
}

/** Bytes that `offsetSince` fetches first, and at most; and how often. */
const FIRST_LOOK_BYTES = 16 * 1024;
const LOOK_BYTES = 1024 * 1024;
const MAX_LOOKS = 64;

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
  { topic, topicId }: { readonly topic: string; readonly topicId: string },
  { from, below, time }: { readonly from: number; readonly below: number; readonly time: number },
  deadline: number,
): Promise<number> {
  let found = from;
  for (let looks = 0, bytes = FIRST_LOOK_BYTES; looks < MAX_LOOKS && found < below; looks++) {
    const fetched = await fetchBatches(cluster, topic, topicId, found, bytes, deadline);
    const batches = readBatches(fetched);
    if (batches.length === 0) break;
    for (const { nextOffset, maxTimestamp } of batches) {
      if (maxTimestamp >= time) return found;
      found = Math.min(nextOffset, below);
    }
    bytes = Math.min(2 * bytes, LOOK_BYTES);
  }
  return found;
}

/**
 * One fetch outside any session, from an offset on; returns at once when there is nothing.
 * @param topicId Kafka's id of the topic (a UUID)
 * @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_ID, OFFSET_OUT_OF_RANGE
 */
function fetchBatches(
  cluster: Cluster,
  topic: string,
  topicId: string,
  from: number,
  maxBytes: number,
  deadline: number,
): Promise<Buffer> {
  return retry(`read ${topic}`, deadline, async () => {
    const { node } = await cluster.leader(topic);
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
      [wanted(topicId, from, maxBytes)],
      [],
      '',
    );
    const [found] = response.topics;
    const code = response.errorCode || (found?.errorCode ?? KafkaCode.NONE);
    if (isPassing(code)) cluster.forgetLeader(topic);
    expectNone(`Fetch ${topic}`, code);
    return found?.records ?? Buffer.alloc(0);
  });
}
