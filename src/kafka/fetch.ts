import { createAPI, fetchV17, type Reader } from '@platformatic/kafka';
import { LogBytes } from './log-bytes.ts';

/*
  Fetch response, version 17. What we do not use is skipped:
    throttle_time_ms INT32  error_code INT16  session_id INT32  [topics]  TAG_BUFFER
    topic     = topic_id UUID  [partitions]  TAG_BUFFER
    partition = index INT32  error_code INT16  high_watermark INT64  last_stable_offset INT64  log_start_offset INT64
                [aborted transactions]  preferred_read_replica INT32  records COMPACT_RECORDS  TAG_BUFFER
    aborted transaction = producer_id INT64  first_offset INT64  TAG_BUFFER
*/

const API_KEY = 1;
const VERSION = 17;

/** What a fetch brought of one topic's partition; all topics of ours have one. */
export interface FetchedTopic {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Batches as they lie in the log (record-batches.ts), maybe cut at the end. */
  readonly records: Buffer;
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly topics: readonly FetchedTopic[];
}

/**
 * The library's request, with a parser that leaves records as bytes: most of what is fetched was handed over in memory
 * already, and the library makes some fifty objects of each record. A response with error codes in it is a response.
 */
export const fetch = createAPI<Parameters<typeof fetchV17.createRequest>, FetchResponse>(
  API_KEY,
  VERSION,
  fetchV17.createRequest,
  parseResponse,
);

/** What a fetch asks for of one topic. @param topicId Kafka's id of it (a UUID) */
export function wanted(
  topicId: string,
  offset: number,
  maxBytes: number,
  index = 0,
): fetchV17.FetchRequestTopic {
  const partition = {
    partition: index,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: maxBytes,
  };
  return { topicId, partitions: [partition] };
}

function parseResponse(_id: number, _key: number, _version: number, reader: Reader): FetchResponse {
  const bytes = new LogBytes(reader.buffer.slice(reader.position));
  bytes.skip(4);
  const errorCode = bytes.int16();
  const sessionId = bytes.int32();
  const topics: FetchedTopic[] = [];
  for (let left = bytes.uvarint() - 1; left > 0; left--) {
    const topicId = bytes.uuid();
    for (let partitions = bytes.uvarint() - 1; partitions > 0; partitions--)
      topics.push(readPartition(bytes, topicId));
    bytes.skipTags();
  }
  bytes.skipTags();
  reader.position = reader.length;
  return { errorCode, sessionId, topics };
}

const NOTHING = Buffer.alloc(0);
/** The three offsets. */
const OFFSETS_BYTES = 24;
const TRANSACTION_BYTES = 16;

function readPartition(bytes: LogBytes, topicId: string): FetchedTopic {
  const partition = bytes.int32();
  const errorCode = bytes.int16();
  bytes.skip(OFFSETS_BYTES);
  for (let aborted = bytes.uvarint() - 1; aborted > 0; aborted--) {
    bytes.skip(TRANSACTION_BYTES);
    bytes.skipTags();
  }
  bytes.skip(4);
  const size = bytes.uvarint() - 1;
  const records = size > 0 ? bytes.bytes(size) : NOTHING;
  bytes.skipTags();
  return { topicId, partition, errorCode, records };
}
