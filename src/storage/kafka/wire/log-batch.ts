import { crc32c, IS_COMPRESSED, IS_CONTROL, IS_TRANSACTIONAL } from '@platformatic/kafka';
import { MAX_UNPACKED_BYTES, unpack } from './unpack.ts';
import { WireReader } from './wire-reader.ts';

/** One record as it lies in a log. Its bytes are views of what was fetched: copy what is to stay. */
export interface RawRecord {
  readonly offset: number;
  /** Leader epoch under which it was appended. */
  readonly leaderEpoch: number;
  /** Milliseconds since the epoch: Kafka's append time where the topic says so, else the producer's. */
  readonly timestamp: number;
  /** Whether that is the broker's time, which no producer can set. */
  readonly hasAppendTime: boolean;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Encoded; `eachHeader` reads them. */
  readonly headers: Buffer;
  /** The producer whose transaction it is of: it counts once that is committed. Null where it counts at once. */
  readonly transactionOf: number | null;
}

/** Where a producer's transaction ends in this log: of what that producer wrote before, all counts from now on, or nothing. */
export interface Marker {
  readonly offset: number;
  /** Leader epoch under which it was appended. */
  readonly leaderEpoch: number;
  readonly producerId: number;
  readonly isCommit: boolean;
}

/** Key of a control record: version INT16, type INT16; type 1 is a commit, 0 an abort (Kafka's ControlRecordType). */
const COMMIT = 1;
const ABORT = 0;

/** Bit 3 of a batch's attributes: its only valid time is the broker's append time, in maxTimestamp (KIP-32). */
const HAS_APPEND_TIME = 1 << 3;

/** Where the fields of a batch begin. */
const AT = {
  length: 8,
  leaderEpoch: 12,
  checksum: 17,
  /** From here on the checksum is over all. */
  attributes: 21,
  lastDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
} as const;
/** Of a batch, up to and with its length field, which counts what comes after it. */
const HEAD_BYTES = 12;
/** Of a batch without records, what its length field counts. */
const LEAST_BYTES = AT.records - HEAD_BYTES;

/** What it costs to unpack a batch that holds next to nothing, as bytes of a larger one: some 10 µs. */
const LEAST_COST = 16 * 1024;
/** What it costs to look at one unpacked record, likewise: some 20 ns, whatever it says. */
const RECORD_COST = 32;
/**
 * Records that a packed batch may claim to have: one with more is stepped over as a whole, and not unpacked. So many fit into
 * the 1 MB that producers put into one (franz-go; librdkafka stops at 10,000, Java at 16 KiB) if each has next to nothing in
 * it. Each `MAX_RECORDS` of them unpack it once more.
 */
const MAX_PACKED_RECORDS = 150_000;

/**
 * One batch of a log (its format is in record-batch.ts). What it says is read when it is asked for: of most batches that come by a
 * fetch only the place, since they were handed over already.
 */
export class LogBatch {
  /** Its first offset. */
  readonly baseOffset: number;
  /** The offset after its last one. */
  readonly nextOffset: number;
  readonly #buffer: Buffer;
  readonly #start: number;
  readonly #end: number;
  /** Its records, from the next one on, once some were asked for; how many come before it, and the least offset it may have. */
  #records: WireReader | null = null;
  #taken = 0;
  #least = 0;
  #cost = 0;
  #damage: RangeError | null = null;

  /** @param buffer has it between these places */
  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
    this.baseOffset = int64At(buffer, start);
    // Whatever it says, it does not end in front of its beginning.
    this.nextOffset = this.baseOffset + Math.max(0, buffer.readInt32BE(start + AT.lastDelta) + 1);
  }

  /** Leader epoch under which it was appended. */
  get leaderEpoch(): number {
    return this.#buffer.readInt32BE(this.#start + AT.leaderEpoch);
  }

  get producerId(): number {
    return int64At(this.#buffer, this.#start + AT.producerId);
  }

  /** Milliseconds since the epoch: of its last record, or when it was appended where the topic says so. */
  get maxTimestamp(): number {
    return int64At(this.#buffer, this.#start + AT.maxTimestamp);
  }

  get #attributes(): number {
    return this.#buffer.readInt16BE(this.#start + AT.attributes);
  }

  get #count(): number {
    return this.#buffer.readInt32BE(this.#start + AT.count);
  }

  /**
   * Whether it has its checksum, so that all in it is what its leader has stored; otherwise nothing but its base offset and its
   * epoch can be believed. CRC-32C, natively: some 1 µs for a batch of one message, 1 ms for a MiB.
   */
  get isIntact(): boolean {
    const checked = this.#buffer.subarray(this.#start + AT.attributes, this.#end);
    return crc32c(checked) === this.#buffer.readUInt32BE(this.#start + AT.checksum);
  }

  /** Whether it has as many records as offsets: brokers take no other one, and only a compaction leaves fewer. */
  get isComplete(): boolean {
    return this.#count === this.nextOffset - this.baseOffset;
  }

  /** Its one record is no producer's, but the end of a transaction. */
  get isControl(): boolean {
    return (this.#attributes & IS_CONTROL) !== 0;
  }

  /** That end, if it is one. */
  get marker(): Marker | null {
    const [record] = this.isControl ? this.recordsFrom(0) : [];
    const type = record?.key && record.key.length >= 4 ? record.key.readInt16BE(2) : -1;
    if (record === undefined || (type !== COMMIT && type !== ABORT)) return null;
    const { offset, leaderEpoch } = record;
    return { offset, leaderEpoch, producerId: this.producerId, isCommit: type === COMMIT };
  }

  get isTransactional(): boolean {
    return (this.#attributes & IS_TRANSACTIONAL) !== 0;
  }

  /** Why `recordsFrom` has left out some or all of it: bytes that are no record, or too many of either. */
  get damage(): RangeError | null {
    return this.#damage;
  }

  /** What its records have cost to unpack and to look at, in bytes; 0 where they are not packed, or were not asked for. */
  get unpackCost(): number {
    return this.#cost;
  }

  /**
   * Its records from an offset on. Kafka looks at most of what producers send, but not at all of it: bytes that are no record
   * end the batch, and whoever reads it gets past them; one that is too large when unpacked has none.
   * @param most records at once; the next ones are had by asking on, without unpacking it again
   */
  recordsFrom(from: number, most = Number.POSITIVE_INFINITY): RawRecord[] {
    const records: RawRecord[] = [];
    try {
      this.#takeRecords(from, most, records);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#damage = error;
      this.#taken = this.#count;
    }
    return records;
  }

  #takeRecords(from: number, most: number, records: RawRecord[]): void {
    const count = this.#count;
    // A compaction has left its head alone.
    if (count === 0) return;
    if (this.#records === null || from < this.#least) this.#open();
    const bytes = this.#records;
    if (bytes === null) return;
    const { leaderEpoch, maxTimestamp } = this;
    const firstTimestamp = int64At(this.#buffer, this.#start + AT.firstTimestamp);
    const hasAppendTime = (this.#attributes & HAS_APPEND_TIME) !== 0;
    const transactionOf = this.isTransactional ? this.producerId : null;
    // A fetch returns whole batches: the first may begin below the offset that was asked for. And Kafka believes what a
    // producer says of each record's place: one outside its batch, or not behind the one before, would hide others' records.
    let least = Math.max(from, this.#least);
    let taken = this.#taken;
    for (; taken < count && records.length < most; taken++) {
      const length = bytes.varint();
      // Back to where it was, as often as the batch claims to have records.
      if (length < 0) throw new RangeError(`a record of ${length} bytes`);
      const next = bytes.at + length;
      bytes.skip(1);
      const delta = bytes.varlong();
      const offset = this.baseOffset + bytes.varint();
      if (offset >= least && offset < this.nextOffset) {
        least = offset + 1;
        const key = nullableBytes(bytes);
        const value = nullableBytes(bytes);
        const headers = bytes.bytes(next - bytes.at);
        const timestamp = hasAppendTime ? maxTimestamp : firstTimestamp + delta;
        records.push({ offset, leaderEpoch, timestamp, hasAppendTime, key, value, headers, transactionOf });
      }
      bytes.at = next;
    }
    this.#taken = taken;
    this.#least = least;
  }

  /** From its first record on. */
  #open(): void {
    this.#taken = 0;
    this.#least = 0;
    const kind = this.#attributes & IS_COMPRESSED;
    if (kind === 0) {
      // To its end: a record that says it is longer has none of the next batch.
      this.#records = new WireReader(this.#buffer.subarray(0, this.#end), this.#start + AT.records);
      return;
    }
    this.#records = null;
    this.#cost += LEAST_COST;
    if (this.#count > MAX_PACKED_RECORDS) throw new RangeError(`${this.#count} records in a packed batch`);
    // What cannot be unpacked may have shown that only at its end.
    let bytes = MAX_UNPACKED_BYTES;
    try {
      const unpacked = unpack(kind, this.#buffer.subarray(this.#start + AT.records, this.#end));
      bytes = unpacked.length + RECORD_COST * Math.max(0, this.#count);
      this.#records = new WireReader(unpacked);
    } finally {
      this.#cost += bytes;
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
  for (let at = 0; fetched.length - at >= HEAD_BYTES; ) {
    const length = fetched.readInt32BE(at + AT.length);
    const end = at + HEAD_BYTES + length;
    if (end > fetched.length) break;
    if (length < LEAST_BYTES) throw new RangeError(`a batch of ${length} bytes`);
    batches.push(new LogBatch(fetched, at, end));
    at = end;
  }
  return batches;
}

/** Exact up to 2^53, as offsets and times are. */
function int64At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4);
}

/** Bytes that a record has beside its place and time. */
export function bytesOf({ key, value, headers }: RawRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headers.length;
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
  const bytes = new WireReader(headers);
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

function nullableBytes(bytes: WireReader): Buffer | null {
  const length = bytes.varint();
  return length < 0 ? null : bytes.bytes(length);
}
