import {
  compressionsAlgorithmsByBitmask,
  IS_COMPRESSED,
  IS_CONTROL,
  IS_TRANSACTIONAL,
  type RecordsBatch,
} from '@platformatic/kafka';
import { LogBytes } from './log-bytes.ts';

/** One record as it lies in a log. Its bytes are views of what was fetched: copy what is to stay. */
export interface RawRecord {
  readonly offset: number;
  /** Milliseconds since the epoch: Kafka's append time where the topic says so, else the producer's. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Encoded; `eachHeader` reads them. */
  readonly headers: Buffer;
}

/** Bit 3 of a batch's attributes: its only valid time is the broker's append time, in maxTimestamp (KIP-32). */
const HAS_APPEND_TIME = 1 << 3;

/** Of a batch, up to and with its length field, which counts what comes after it. */
const HEAD_BYTES = 12;
/** From there to its attributes: leader epoch, magic, checksum. */
const TO_ATTRIBUTES = 9;
/** Producer's id, epoch and sequence. */
const PRODUCER_BYTES = 14;

/**
 * The records from an offset on, out of the batches of one fetch (their format is in record-batch.ts), without the
 * control records. Batches that lie below the offset as a whole are not looked into.
 * @returns also the offset after the last batch, or `from` when there is none
 * @throws RangeError for bytes that are no batches
 */
export function readRecords(batches: Buffer, from: number): { records: RawRecord[]; nextOffset: number } {
  const records: RawRecord[] = [];
  let nextOffset = from;
  const bytes = new LogBytes(batches);
  // A fetch is cut where its limit in bytes is: what is left of a batch then comes with the next one.
  while (bytes.left >= HEAD_BYTES) {
    const base = bytes.int64();
    const length = bytes.int32();
    if (length > bytes.left) break;
    const end = bytes.at + length;
    bytes.skip(TO_ATTRIBUTES);
    const attributes = bytes.int16();
    const afterBatch = base + bytes.int32() + 1;
    if (afterBatch > from && (attributes & IS_CONTROL) === 0)
      takeRecords(bytes, end, { base, afterBatch, attributes, from }, records);
    nextOffset = Math.max(nextOffset, afterBatch);
    bytes.at = end;
  }
  return { records, nextOffset };
}

interface BatchFacts {
  readonly base: number;
  readonly afterBatch: number;
  readonly attributes: number;
  readonly from: number;
}

function takeRecords(
  batch: LogBytes,
  end: number,
  { base, afterBatch, attributes, from }: BatchFacts,
  into: RawRecord[],
): void {
  const firstTimestamp = batch.int64();
  const maxTimestamp = batch.int64();
  batch.skip(PRODUCER_BYTES);
  const count = batch.int32();
  const bytes = uncompressed(batch, end, attributes);
  const appendTime = (attributes & HAS_APPEND_TIME) !== 0;
  // A fetch returns whole batches: the first may begin below the offset that was asked for. And Kafka believes what a
  // producer says of each record's place: one outside its batch, or not behind the one before, would hide others' records.
  let least = from;
  for (let i = 0; i < count; i++) {
    const length = bytes.varint();
    const next = bytes.at + length;
    bytes.skip(1);
    const timestamp = firstTimestamp + bytes.varint();
    const offset = base + bytes.varint();
    if (offset >= least && offset < afterBatch) {
      least = offset + 1;
      const key = nullableBytes(bytes);
      const value = nullableBytes(bytes);
      const headers = bytes.bytes(next - bytes.at);
      into.push({ offset, timestamp: appendTime ? maxTimestamp : timestamp, key, value, headers });
    }
    bytes.at = next;
  }
}

/** An inbox topic takes no compressed batches, but its settings can be changed. */
function uncompressed(batch: LogBytes, end: number, attributes: number): LogBytes {
  const kind = attributes & IS_COMPRESSED;
  if (kind === 0) return batch;
  const algorithms: Readonly<Record<number, { decompressSync(data: Buffer): Buffer } | undefined>> =
    compressionsAlgorithmsByBitmask;
  const algorithm = algorithms[kind];
  if (algorithm === undefined) throw new RangeError(`compression ${kind} is not known`);
  return new LogBytes(algorithm.decompressSync(batch.buffer.subarray(batch.at, end)));
}

/** Of a record's headers so many are looked at, whatever their number. */
const MAX_HEADERS = 64;

/** Calls back with each header that has a name and a value, in their order; both are views. */
export function eachHeader(headers: Buffer, visit: (name: Buffer, value: Buffer) => void): void {
  const bytes = new LogBytes(headers);
  for (let left = Math.min(MAX_HEADERS, bytes.varint()); left > 0; left--) {
    const name = nullableBytes(bytes);
    const value = nullableBytes(bytes);
    if (name !== null && value !== null) visit(name, value);
  }
}

function nullableBytes(bytes: LogBytes): Buffer | null {
  const length = bytes.varint();
  return length < 0 ? null : bytes.bytes(length);
}

export function isControl(batch: RecordsBatch): boolean {
  return (batch.attributes & IS_CONTROL) !== 0;
}

export function isTransactional(batch: RecordsBatch): boolean {
  return (batch.attributes & IS_TRANSACTIONAL) !== 0;
}
