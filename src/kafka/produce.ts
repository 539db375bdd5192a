import { createAPI, produceV11, Writer } from '@platformatic/kafka';

/*
  Produce request, version 11, of batches that are encoded already:
    transactional_id COMPACT_NULLABLE_STRING  acks INT16  timeout_ms INT32  [topics]  TAG_BUFFER
    topic     = name COMPACT_STRING  [partitions]  TAG_BUFFER
    partition = index INT32  records COMPACT_RECORDS  TAG_BUFFER
*/

const API_KEY = 0;
const VERSION = 11;
const ALL_IN_SYNC = -1;

/** One topic's batch; all our topics have one partition. */
export interface TopicBatch {
  readonly topic: string;
  readonly bytes: Buffer;
}

/** `acks=all`. The library sends it and reads the answer. */
export const produce = createAPI(API_KEY, VERSION, createRequest, produceV11.parseResponse);

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
