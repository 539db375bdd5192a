import { createAPI, type Reader, Writer } from '@platformatic/kafka';
import { WireReader } from './wire-reader.ts';

/*
  Produce request of batches that are encoded already, version 11 and, from Kafka 4.1 on, 13 (KIP-516):
    transactional_id COMPACT_NULLABLE_STRING  acks INT16  timeout_ms INT32  [topics]  TAG_BUFFER
    topic     = (version 11: name COMPACT_STRING) (version 13: topic_id UUID)  [partitions]  TAG_BUFFER
    partition = index INT32  records COMPACT_RECORDS  TAG_BUFFER

  and its response, of which we read what is named here without brackets:
    [topics]  throttle_time_ms INT32  (TAG_BUFFER)
    topic     = (version 11: name COMPACT_STRING) (version 13: topic_id UUID)  [partitions]  TAG_BUFFER
    partition = (index INT32)  error_code INT16  base_offset INT64  log_append_time_ms INT64  (log_start_offset INT64)
                ([record errors])  (error_message COMPACT_NULLABLE_STRING)  TAG_BUFFER
    record error = batch_index INT32  message COMPACT_NULLABLE_STRING  TAG_BUFFER
*/

export const PRODUCE_KEY = 0;
const BY_NAME_VERSION = 11;
/** From here on topics are named by their ids: what is meant for a topic that is gone goes into no other. */
export const BY_ID_VERSION = 13;
const ALL_IN_SYNC = -1;
const ID_BYTES = 16;

/** One topic's batch; all our topics have one partition. */
export interface TopicBatch {
  readonly topic: string;
  readonly bytes: Buffer;
}

/** The same for the topic that has this id (a UUID, as bytes). */
export interface IdBatch {
  readonly id: Buffer;
  readonly bytes: Buffer;
}

/** What became of one topic's batch. */
export interface TopicResult {
  /** As the request had it: the topic's name, or the 16 bytes of its id, each as one character. */
  readonly topic: string;
  readonly errorCode: number;
  readonly baseOffset: number;
  /** Milliseconds since the epoch; -1 where the topic keeps the producer's time. */
  readonly appendTime: number;
}

/** What became of the batches, and how long the broker has kept that back because of a quota. */
export interface ProduceResponse {
  readonly results: readonly TopicResult[];
  readonly throttleTimeMs: number;
}

/** `acks=all`, into whatever topics have these names. A response with error codes in it is a response. */
export const produce = createAPI<[timeoutMs: number, batches: readonly TopicBatch[]], ProduceResponse>(
  PRODUCE_KEY,
  BY_NAME_VERSION,
  (timeoutMs, batches) => createRequest(timeoutMs, batches, BY_NAME),
  (_id, _key, _version, reader) => parseResponse(reader, BY_NAME.read),
);

/** `acks=all`, into the topics that have these ids and no others; likewise. */
export const produceById = createAPI<[timeoutMs: number, batches: readonly IdBatch[]], ProduceResponse>(
  PRODUCE_KEY,
  BY_ID_VERSION,
  (timeoutMs, batches) => createRequest(timeoutMs, batches, BY_ID),
  (_id, _key, _version, reader) => parseResponse(reader, BY_ID.read),
);

/** An id of a topic, as `IdBatch` has it. @param text a UUID */
export function topicIdBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}

/** How a topic stands in a request and in its response. */
interface Naming<Named> {
  readonly room: (batch: Named) => number;
  /** @returns where that ends */
  readonly write: (batch: Named, buffer: Buffer, at: number) => number;
  readonly read: (bytes: WireReader) => string;
}

const BY_NAME: Naming<TopicBatch> = {
  room: ({ topic }) => topic.length + 5,
  write: ({ topic }, buffer, at) => {
    const start = writeUvarint(buffer, topic.length + 1, at);
    return start + buffer.write(topic, start, 'latin1');
  },
  read: (bytes) => bytes.latin1(bytes.uvarint() - 1),
};

const BY_ID: Naming<IdBatch> = {
  room: () => ID_BYTES,
  write: ({ id }, buffer, at) => at + id.copy(buffer, at),
  read: (bytes) => bytes.latin1(ID_BYTES),
};

function createRequest<Named extends { readonly bytes: Buffer }>(
  timeoutMs: number,
  batches: readonly Named[],
  naming: Naming<Named>,
): Writer {
  return Writer.create()
    .appendString(null)
    .appendInt16(ALL_IN_SYNC)
    .appendInt32(timeoutMs)
    .append(topics(batches, naming))
    .appendTaggedFields();
}

/** In one buffer: a request is often about some dozens of topics. */
function topics<Named extends { readonly bytes: Buffer }>(
  batches: readonly Named[],
  { room, write }: Naming<Named>,
): Buffer {
  let most = 5;
  for (const batch of batches) most += room(batch) + batch.bytes.length + 5 + 1 + 4 + 2;
  const buffer = Buffer.allocUnsafe(most);
  let at = writeUvarint(buffer, batches.length + 1, 0);
  for (const batch of batches) {
    const { bytes } = batch;
    at = write(batch, buffer, at);
    at = writeUvarint(buffer, 1 + 1, at);
    at = buffer.writeInt32BE(0, at);
    at = writeUvarint(buffer, bytes.length + 1, at);
    buffer.set(bytes, at);
    at += bytes.length;
    // No tagged fields, of the partition and of the topic.
    at = buffer.writeUInt16BE(0, at);
  }
  return buffer.subarray(0, at);
}

function writeUvarint(buffer: Buffer, value: number, offset: number): number {
  let at = offset;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
  buffer[at++] = rest;
  return at;
}

function parseResponse(reader: Reader, readTopic: (bytes: WireReader) => string): ProduceResponse {
  const bytes = new WireReader(reader.buffer.slice(reader.position));
  const results: TopicResult[] = [];
  for (let left = bytes.uvarint() - 1; left > 0; left--) {
    const topic = readTopic(bytes);
    for (let partitions = bytes.uvarint() - 1; partitions > 0; partitions--) {
      bytes.skip(4);
      const errorCode = bytes.int16();
      const baseOffset = bytes.int64();
      results.push({ topic, errorCode, baseOffset, appendTime: bytes.int64() });
      bytes.skip(8);
      skipErrors(bytes);
      bytes.skipTags();
    }
    bytes.skipTags();
  }
  reader.position = reader.length;
  return { results, throttleTimeMs: bytes.int32() };
}

function skipErrors(bytes: WireReader): void {
  for (let errors = bytes.uvarint() - 1; errors > 0; errors--) {
    bytes.skip(4);
    skipText(bytes);
    bytes.skipTags();
  }
  skipText(bytes);
}

/** Its length is one more than said; 0 is none. */
function skipText(bytes: WireReader): void {
  bytes.skip(Math.max(0, bytes.uvarint() - 1));
}
