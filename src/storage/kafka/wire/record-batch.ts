import { crc32c } from '@platformatic/kafka';
import type { RecordContent } from '../inbox/record.ts';

/*
  A batch of records as it lies in the log (Kafka's format 2), uncompressed:
    baseOffset int64  length int32  leaderEpoch int32  magic int8 = 2  crc uint32 (Castagnoli, over all that follows)
    attributes int16  lastOffsetDelta int32  firstTimestamp int64  maxTimestamp int64
    producerId int64  producerEpoch int16  baseSequence int32  count int32  records

  record = length varint, attributes int8, timestampDelta varint, offsetDelta varint, and what does not depend on the batch:
    key length varint, key, value length varint (-1: none), value, number of headers varint, headers
  header = name length varint, name, value length varint, value

  The library's encoder makes some sixty small buffers of one of our records; here it is written once, in place.
*/

const HEADER_BYTES = 61;
/** Where the fields begin that `length` and `crc` are about. */
const LENGTH_FROM = 12;
const CRC_AT = 17;
const CRC_FROM = 21;
const MAGIC = 2;
const NO_LEADER_EPOCH = -1;
/** Of one record: its length (5), attributes (1), time (1) and offset (5). */
const PREFIX_BYTES = 12;
const MAX_VARINT_BYTES = 5;
/** A number up to this is one byte. */
const SHORT = 63;

/** An idempotent producer's identity; sequence numbers count per partition under one identity. */
export interface Producer {
  readonly id: bigint;
  readonly epoch: number;
}

/** One buffer for all, since nothing waits while something is being written; what is larger gets one of its own. */
const kept = Buffer.allocUnsafeSlow(16 * 1024);
let buffer = kept;
let at = 0;

/** The part of a record that does not depend on its batch. */
export function encodeContent({ key, value, headers }: RecordContent): Buffer {
  // A character is at most three bytes of UTF-8: more than enough is all that has to be known.
  let most = 3 * MAX_VARINT_BYTES + 3 * (key?.length ?? 0) + (value?.length ?? 0);
  for (const part of headers) most += MAX_VARINT_BYTES + 3 * part.length;
  buffer = most <= kept.length ? kept : Buffer.allocUnsafe(most);
  at = 0;
  writeParts([key, value]);
  writeVarint(headers.length / 2);
  writeParts(headers);
  const content = Buffer.from(buffer.subarray(0, at));
  buffer = kept;
  return content;
}

/** Bytes that a record of that content takes in a batch, at most. */
export function recordBytes(content: Buffer): number {
  return PREFIX_BYTES + content.length;
}

/**
 * A batch of records with these contents.
 * @param firstSequence of the first one; the others count on
 * @param timestamp milliseconds since the epoch; topics with LogAppendTime keep the broker's instead
 */
export function encodeBatch(
  contents: readonly Buffer[],
  producer: Producer,
  firstSequence: number,
  timestamp: number,
): Buffer {
  let most = HEADER_BYTES;
  for (const content of contents) most += recordBytes(content);
  const batch = Buffer.allocUnsafe(most);
  buffer = batch;
  at = HEADER_BYTES;
  for (const [index, content] of contents.entries()) {
    // Attributes and time take a byte each: both are 0.
    writeVarint(2 + varintBytes(index) + content.length);
    buffer[at++] = 0;
    buffer[at++] = 0;
    writeVarint(index);
    buffer.set(content, at);
    at += content.length;
  }
  const end = at;
  buffer = kept;
  writeHeader(batch, end, contents.length, producer, firstSequence, timestamp);
  return batch.subarray(0, end);
}

function writeHeader(
  batch: Buffer,
  end: number,
  count: number,
  producer: Producer,
  firstSequence: number,
  timestamp: number,
): void {
  batch.writeInt32BE(0, 0);
  batch.writeInt32BE(0, 4);
  batch.writeInt32BE(end - LENGTH_FROM, 8);
  batch.writeInt32BE(NO_LEADER_EPOCH, LENGTH_FROM);
  batch[16] = MAGIC;
  batch.writeInt16BE(0, CRC_FROM);
  batch.writeInt32BE(count - 1, 23);
  writeTime(batch, timestamp, 27);
  writeTime(batch, timestamp, 35);
  batch.writeBigInt64BE(producer.id, 43);
  batch.writeInt16BE(producer.epoch, 51);
  batch.writeInt32BE(firstSequence, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM, end)), CRC_AT);
}

/** An int64 that is a safe integer above zero. */
function writeTime(batch: Buffer, time: number, offset: number): void {
  batch.writeUInt32BE(Math.floor(time / 2 ** 32), offset);
  batch.writeUInt32BE(time % 2 ** 32, offset + 4);
}

/** Length and bytes of each; -1 and nothing for null. */
function writeParts(parts: readonly (Uint8Array | string | null)[]): void {
  for (const part of parts) {
    if (part === null) buffer[at++] = 1;
    else if (typeof part === 'string') {
      // Nearly always short: it is put behind the one byte of its length, and shows then whether that is enough.
      const length = buffer.write(part, at + 1);
      if (length <= SHORT) buffer[at++] = 2 * length;
      else writeVarint(length);
      at += length <= SHORT ? length : buffer.write(part, at);
    } else {
      if (part.length <= SHORT) buffer[at++] = 2 * part.length;
      else writeVarint(part.length);
      buffer.set(part, at);
      at += part.length;
    }
  }
}

/** Zigzag, for numbers from 0 to 2^30. */
function writeVarint(value: number): void {
  let rest = value * 2;
  for (; rest >= 0x80; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
  buffer[at++] = rest;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value * 2; rest >= 0x80; rest >>>= 7) bytes++;
  return bytes;
}
