import { createAPI, fetchV17, type Reader } from '@platformatic/kafka';
import type { EpochEnd } from '../../../core/epochs.ts';
import { WireReader } from './wire-reader.ts';

/*
  Fetch response, version 17. What we do not use is skipped:
    throttle_time_ms INT32  error_code INT16  session_id INT32  [topics]  TAG_BUFFER
    topic     = topic_id UUID  [partitions]  TAG_BUFFER
    partition = index INT32  error_code INT16  high_watermark INT64  last_stable_offset INT64  log_start_offset INT64
                [aborted transactions]  preferred_read_replica INT32  records COMPACT_RECORDS  TAG_BUFFER
    tag 0 of a partition = diverging epoch: epoch INT32  end_offset INT64  TAG_BUFFER
    aborted transaction = producer_id INT64  first_offset INT64  TAG_BUFFER
*/

const API_KEY = 1;
const VERSION = 17;

/** From its first offset on, up to the marker of its producer that comes next. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** What a fetch brought of one topic's partition; all topics of ours have one. */
export interface FetchedTopic {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  /** How far the log has the epoch that was asked with, where it parts from it in front of the offset; else null. */
  readonly parts: EpochEnd | null;
  /** Transactions that were aborted, of what was fetched; only of a fetch that asks for what is committed. */
  readonly aborted: readonly AbortedTransaction[];
  /** Where the log begins; -1 where that is not told. */
  readonly logStart: number;
  /** Batches as they lie in the log (log-batch.ts), maybe cut at the end. */
  readonly records: Buffer;
}

export interface FetchResponse {
  /** How long the broker has kept it back because of a quota. */
  readonly throttleTimeMs: number;
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

/**
 * What a fetch asks for of one topic.
 * @param topicId Kafka's id of it (a UUID)
 * @param place an offset, and the leader epoch of the record in front of it; -1 where that is not to be checked
 * @param leaderEpoch of the leader that is asked, which refuses any other; -1: whoever it is
 */
export function wanted(
  topicId: string,
  place: { readonly offset: number; readonly epoch: number },
  leaderEpoch: number,
  maxBytes: number,
  index = 0,
): fetchV17.FetchRequestTopic {
  const partition = {
    partition: index,
    currentLeaderEpoch: leaderEpoch,
    fetchOffset: BigInt(place.offset),
    lastFetchedEpoch: place.epoch,
    partitionMaxBytes: maxBytes,
  };
  return { topicId, partitions: [partition] };
}

function parseResponse(_id: number, _key: number, _version: number, reader: Reader): FetchResponse {
  const bytes = new WireReader(reader.buffer.slice(reader.position));
  const throttleTimeMs = bytes.int32();
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
  return { throttleTimeMs, errorCode, sessionId, topics };
}

const NOTHING = Buffer.alloc(0);
/** The high watermark and the last stable offset. */
const OFFSETS_BYTES = 16;

function readPartition(bytes: WireReader, topicId: string): FetchedTopic {
  const partition = bytes.int32();
  const errorCode = bytes.int16();
  bytes.skip(OFFSETS_BYTES);
  const logStart = bytes.int64();
  const aborted: AbortedTransaction[] = [];
  for (let left = bytes.uvarint() - 1; left > 0; left--) {
    aborted.push({ producerId: bytes.int64(), firstOffset: bytes.int64() });
    bytes.skipTags();
  }
  bytes.skip(4);
  const size = bytes.uvarint() - 1;
  const records = size > 0 ? bytes.bytes(size) : NOTHING;
  return { topicId, partition, errorCode, aborted, logStart, records, parts: readParts(bytes) };
}

const DIVERGING_EPOCH = 0;

function readParts(bytes: WireReader): EpochEnd | null {
  let parts: EpochEnd | null = null;
  for (let tags = bytes.uvarint(); tags > 0; tags--) {
    const tag = bytes.uvarint();
    const end = bytes.uvarint() + bytes.at;
    if (tag === DIVERGING_EPOCH) parts = { epoch: bytes.int32(), end: bytes.int64() };
    bytes.skip(end - bytes.at);
  }
  return parts;
}
