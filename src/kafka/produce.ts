import { createAPI, type Reader, Writer } from '@platformatic/kafka';
import { LogBytes } from './log-bytes.ts';

/*
  Produce request, version 11, of batches that are encoded already:
    transactional_id COMPACT_NULLABLE_STRING  acks INT16  timeout_ms INT32  [topics]  TAG_BUFFER
    topic     = name COMPACT_STRING  [partitions]  TAG_BUFFER
    partition = index INT32  records COMPACT_RECORDS  TAG_BUFFER

  and its response, of which we read what is named here without brackets:
    [topics]  (throttle_time_ms INT32  TAG_BUFFER)
    topic     = name COMPACT_STRING  [partitions]  TAG_BUFFER
    partition = (index INT32)  error_code INT16  base_offset INT64  log_append_time_ms INT64  (log_start_offset INT64)
                ([record errors])  (error_message COMPACT_NULLABLE_STRING)  TAG_BUFFER
    record error = batch_index INT32  message COMPACT_NULLABLE_STRING  TAG_BUFFER
*/

const API_KEY = 0;
const VERSION = 11;
const ALL_IN_SYNC = -1;

/** One topic's batch; all our topics have one partition. */
export interface TopicBatch {
  readonly topic: string;
  readonly bytes: Buffer;
}

/** What became of one topic's batch. */
export interface TopicResult {
  readonly topic: string;
  readonly errorCode: number;
  readonly baseOffset: number;
  /** Milliseconds since the epoch; -1 where the topic keeps the producer's time. */
  readonly appendTime: number;
}

/** `acks=all`. A response with error codes in it is a response. */
export const produce = createAPI<[timeoutMs: number, batches: readonly TopicBatch[]], readonly TopicResult[]>(
  API_KEY,
  VERSION,
  createRequest,
  parseResponse,
);

function createRequest(timeoutMs: number, batches: readonly TopicBatch[]): Writer {
  return Writer.create()
    .appendString(null)
    .appendInt16(ALL_IN_SYNC)
    .appendInt32(timeoutMs)
    .append(topics(batches))
    .appendTaggedFields();
}

/** In one buffer: a request is often about some dozens of topics. */
function topics(batches: readonly TopicBatch[]): Buffer {
  let most = 5;
  for (const { topic, bytes } of batches) most += topic.length + bytes.length + 2 * 5 + 1 + 4 + 2;
  const buffer = Buffer.allocUnsafe(most);
  let at = writeUvarint(buffer, batches.length + 1, 0);
  for (const { topic, bytes } of batches) {
    at = writeUvarint(buffer, topic.length + 1, at);
    at += buffer.write(topic, at, 'latin1');
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

function parseResponse(_id: number, _key: number, _version: number, reader: Reader): TopicResult[] {
  const bytes = new LogBytes(reader.buffer.slice(reader.position));
  const results: TopicResult[] = [];
  for (let left = bytes.uvarint() - 1; left > 0; left--) {
    const topic = bytes.latin1(bytes.uvarint() - 1);
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
  return results;
}

function skipErrors(bytes: LogBytes): void {
  for (let errors = bytes.uvarint() - 1; errors > 0; errors--) {
    bytes.skip(4);
    skipText(bytes);
    bytes.skipTags();
  }
  skipText(bytes);
}

/** Its length is one more than said; 0 is none. */
function skipText(bytes: LogBytes): void {
  bytes.skip(Math.max(0, bytes.uvarint() - 1));
}
