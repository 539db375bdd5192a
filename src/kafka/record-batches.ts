import {
  compressionsAlgorithmsByBitmask,
  IS_COMPRESSED,
  IS_CONTROL,
  IS_TRANSACTIONAL,
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
/** Epoch and sequence of its producer. */
const SEQUENCE_BYTES = 6;
/** Of a batch without records, what its length field counts. */
const LEAST_BYTES = 49;

/** One batch of a log (its format is in record-batch.ts), whose records are only looked at when they are asked for. */
export class LogBatch {
  /** The offset after its last one. */
  readonly nextOffset: number;
  readonly producerId: number;
  readonly #base: number;
  readonly #attributes: number;
  readonly #firstTimestamp: number;
  readonly #maxTimestamp: number;
  readonly #count: number;
  readonly #buffer: Buffer;
  readonly #at: number;
  readonly #end: number;
  #isDamaged = false;

  /** @param bytes where its length field is over; read on up to its records */
  constructor(bytes: LogBytes, base: number, end: number) {
    bytes.skip(TO_ATTRIBUTES);
    this.#attributes = bytes.int16();
    this.nextOffset = base + bytes.int32() + 1;
    this.#firstTimestamp = bytes.int64();
    this.#maxTimestamp = bytes.int64();
    this.producerId = bytes.int64();
    bytes.skip(SEQUENCE_BYTES);
    this.#count = bytes.int32();
    this.#base = base;
    this.#buffer = bytes.buffer;
    this.#at = bytes.at;
    this.#end = end;
  }

  /** Its one record is the end of a transaction. */
  get isControl(): boolean {
    return (this.#attributes & IS_CONTROL) !== 0;
  }

  get isTransactional(): boolean {
    return (this.#attributes & IS_TRANSACTIONAL) !== 0;
  }

  /** `recordsFrom` came to bytes that are no record. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /**
   * Its records from an offset on. Kafka looks at most of what producers send, but not at all of it: bytes that are no record
   * end the batch, and whoever reads it gets past them.
   */
  recordsFrom(from: number): RawRecord[] {
    const records: RawRecord[] = [];
    try {
      this.#takeRecords(from, records);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#isDamaged = true;
    }
    return records;
  }

  #takeRecords(from: number, records: RawRecord[]): void {
    const bytes = uncompressed(this.#buffer, this.#at, this.#end, this.#attributes);
    const appendTime = (this.#attributes & HAS_APPEND_TIME) !== 0;
    // A fetch returns whole batches: the first may begin below the offset that was asked for. And Kafka believes what a
    // producer says of each record's place: one outside its batch, or not behind the one before, would hide others' records.
    let least = from;
    for (let i = 0; i < this.#count; i++) {
      const length = bytes.varint();
      // Back to where it was, as often as the batch claims to have records.
      if (length < 0) throw new RangeError(`a record of ${length} bytes`);
      const next = bytes.at + length;
      bytes.skip(1);
      const timestamp = this.#firstTimestamp + bytes.varlong();
      const offset = this.#base + bytes.varint();
      if (offset >= least && offset < this.nextOffset) {
        least = offset + 1;
        const key = nullableBytes(bytes);
        const value = nullableBytes(bytes);
        const headers = bytes.bytes(next - bytes.at);
        records.push({ offset, timestamp: appendTime ? this.#maxTimestamp : timestamp, key, value, headers });
      }
      bytes.at = next;
    }
  }
}

/**
 * The batches of one fetch, in their order. One that is cut comes with the next fetch: a fetch ends where its limit in
 * bytes is.
 * @throws RangeError for bytes that are no batches: no broker sends them
 */
export function readBatches(fetched: Buffer): LogBatch[] {
  const batches: LogBatch[] = [];
  const bytes = new LogBytes(fetched);
  while (bytes.left >= HEAD_BYTES) {
    const base = bytes.int64();
    const length = bytes.int32();
    if (length > bytes.left) break;
    if (length < LEAST_BYTES) throw new RangeError(`a batch of ${length} bytes`);
    const end = bytes.at + length;
    batches.push(new LogBatch(bytes, base, end));
    bytes.at = end;
  }
  return batches;
}

/**
 * The records from an offset on, out of the batches of one fetch, without the control records. Batches that lie below the
 * offset as a whole are not looked into.
 * @returns also the offset after the last batch, or `from` when there is none
 * @throws RangeError as `readBatches`
 */
export function readRecords(fetched: Buffer, from: number): { records: RawRecord[]; nextOffset: number } {
  const records: RawRecord[] = [];
  let nextOffset = from;
  for (const batch of readBatches(fetched)) {
    if (batch.nextOffset > from && !batch.isControl) {
      for (const record of batch.recordsFrom(from)) records.push(record);
    }
    nextOffset = Math.max(nextOffset, batch.nextOffset);
  }
  return { records, nextOffset };
}

/**
 * Our topics keep no compressed batches, but their settings can be changed.
 * @throws RangeError for what cannot be unpacked
 */
function uncompressed(buffer: Buffer, at: number, end: number, attributes: number): LogBytes {
  const kind = attributes & IS_COMPRESSED;
  if (kind === 0) return new LogBytes(buffer, at);
  const algorithms: Readonly<Record<number, { decompressSync(data: Buffer): Buffer } | undefined>> =
    compressionsAlgorithmsByBitmask;
  const algorithm = algorithms[kind];
  if (algorithm === undefined) throw new RangeError(`compression ${kind} is not known`);
  try {
    return new LogBytes(algorithm.decompressSync(buffer.subarray(at, end)));
  } catch (cause) {
    throw new RangeError('a batch that cannot be unpacked', { cause });
  }
}

/** Of a record's headers so many are looked at, whatever their number. */
const MAX_HEADERS = 64;

/**
 * Calls back with where each header's name and value are, in their order. Positions and not views, since most of them are
 * not looked at. One without a value is left out; bytes that are no header end them.
 */
export function eachHeader(
  headers: Buffer,
  visit: (nameAt: number, nameEnd: number, valueAt: number, valueEnd: number) => void,
): void {
  const bytes = new LogBytes(headers);
  try {
    for (let left = Math.min(MAX_HEADERS, bytes.varint()); left > 0; left--) {
      const nameBytes = bytes.varint();
      const nameAt = bytes.at;
      bytes.skip(Math.max(0, nameBytes));
      const valueBytes = bytes.varint();
      const valueAt = bytes.at;
      bytes.skip(Math.max(0, valueBytes));
      if (nameBytes >= 0 && valueBytes >= 0) visit(nameAt, nameAt + nameBytes, valueAt, bytes.at);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

function nullableBytes(bytes: LogBytes): Buffer | null {
  const length = bytes.varint();
  return length < 0 ? null : bytes.bytes(length);
}
