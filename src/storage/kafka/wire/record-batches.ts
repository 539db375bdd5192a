import { crc32c, IS_COMPRESSED, IS_CONTROL, IS_TRANSACTIONAL } from '@platformatic/kafka';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
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

/** Of a batch, up to and with its length field, which counts what comes after it. */
const HEAD_BYTES = 12;
/** Between its leader epoch and its checksum. */
const MAGIC_BYTES = 1;
/** Epoch and sequence of its producer. */
const SEQUENCE_BYTES = 6;
/** Of a batch without records, what its length field counts. */
const LEAST_BYTES = 49;

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

/** One batch of a log (its format is in record-batch.ts), whose records are only looked at when they are asked for. */
export class LogBatch {
  /** The offset after its last one. */
  readonly nextOffset: number;
  /** Its first one. */
  readonly baseOffset: number;
  /** Leader epoch under which it was appended. */
  readonly leaderEpoch: number;
  readonly producerId: number;
  /** Milliseconds since the epoch: of its last record, or when it was appended where the topic says so. */
  readonly maxTimestamp: number;
  readonly #attributes: number;
  readonly #firstTimestamp: number;
  readonly #count: number;
  readonly #buffer: Buffer;
  readonly #checksum: number;
  /** Where that begins which its checksum is over: all behind it. */
  readonly #checkedFrom: number;
  readonly #at: number;
  readonly #end: number;
  /** Its records, from the next one on, once some were asked for; how many come before it, and the least offset it may have. */
  #records: WireReader | null = null;
  #taken = 0;
  #least = 0;
  #cost = 0;
  #damage: RangeError | null = null;

  /** @param bytes where its length field is over; read on up to its records */
  constructor(bytes: WireReader, base: number, end: number) {
    this.leaderEpoch = bytes.int32();
    bytes.skip(MAGIC_BYTES);
    this.#checksum = bytes.int32();
    this.#checkedFrom = bytes.at;
    this.#attributes = bytes.int16();
    this.nextOffset = base + bytes.int32() + 1;
    this.#firstTimestamp = bytes.int64();
    this.maxTimestamp = bytes.int64();
    this.producerId = bytes.int64();
    bytes.skip(SEQUENCE_BYTES);
    this.#count = bytes.int32();
    this.baseOffset = base;
    this.#buffer = bytes.buffer;
    this.#at = bytes.at;
    this.#end = end;
  }

  /**
   * Whether it has its checksum, so that all in it is what its leader has stored; otherwise nothing but its base offset and its
   * epoch can be believed. CRC-32C, natively: some 1 µs for a batch of one message, 1 ms for a MiB.
   */
  get isIntact(): boolean {
    return crc32c(this.#buffer.subarray(this.#checkedFrom, this.#end)) === this.#checksum >>> 0;
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
    // A compaction has left its head alone.
    if (this.#count === 0) return;
    if (this.#records === null || from < this.#least) this.#open();
    const bytes = this.#records;
    if (bytes === null) return;
    const { leaderEpoch } = this;
    const hasAppendTime = (this.#attributes & HAS_APPEND_TIME) !== 0;
    const transactionOf = this.isTransactional ? this.producerId : null;
    // A fetch returns whole batches: the first may begin below the offset that was asked for. And Kafka believes what a
    // producer says of each record's place: one outside its batch, or not behind the one before, would hide others' records.
    let least = Math.max(from, this.#least);
    let taken = this.#taken;
    for (; taken < this.#count && records.length < most; taken++) {
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
        const timestamp = hasAppendTime ? this.maxTimestamp : this.#firstTimestamp + delta;
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
      this.#records = new WireReader(this.#buffer, this.#at);
      return;
    }
    this.#records = null;
    this.#cost += LEAST_COST;
    if (this.#count > MAX_PACKED_RECORDS) throw new RangeError(`${this.#count} records in a packed batch`);
    // What cannot be unpacked may have shown that only at its end.
    let bytes = MAX_UNPACKED_BYTES;
    try {
      const unpacked = unpack(kind, this.#buffer.subarray(this.#at, this.#end));
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
  const bytes = new WireReader(fetched);
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

/** Bytes that a record has beside its place and time. */
export function bytesOf({ key, value, headers }: RawRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headers.length;
}

/** Why a batch was left out in part or as a whole, and where the next one begins. */
export interface Damage {
  readonly error: RangeError;
  readonly nextOffset: number;
}

/** Offsets that held records once, first..last: those are not in the log any more, or the disk has spoiled their batch. */
export interface Lost {
  readonly first: number;
  readonly last: number;
  readonly reason: 'not in the log' | 'a wrong checksum';
}

/** What of one fetch is looked at. */
export interface ReadRecords {
  readonly records: RawRecord[];
  /** Ends of transactions in between. */
  readonly markers: readonly Marker[];
  /** The offset after what was looked at. */
  readonly nextOffset: number;
  /** Leader epoch of the batch in front of that; -1 where none was looked at. */
  readonly epoch: number;
  /** What it has cost to unpack, in bytes; 0 where nothing was packed. */
  readonly unpackCost: number;
  /** The last batch that was left out in part or as a whole, if any. */
  readonly damage: Damage | null;
  /** What should lie in between, in its order. */
  readonly lost: readonly Lost[];
}

/** Records out of one fetch: more do not fit into what waits for one person, and packed ones may be many. */
const MAX_RECORDS = 4_096;
/** Past this cost of unpacking the rest of a fetch is left to the next one. */
const MAX_UNPACK_COST = 1024 * 1024;

/**
 * The records from an offset on, out of the batches of one fetch, without the control records. Batches that lie below the
 * offset as a whole are not looked into. What would be too much at once is left for the next fetch. Producers leave no
 * offset out, so what is missing and no end of a transaction was taken away.
 * @returns as `nextOffset` the offset after the last batch, or `from` when there is none
 * @throws RangeError as `readBatches`
 */
export function readRecords(fetched: Buffer, from: number): ReadRecords {
  let records: RawRecord[] = [];
  const markers: Marker[] = [];
  const lost: Lost[] = [];
  let nextOffset = from;
  let epoch = UNKNOWN_EPOCH;
  let unpackCost = 0;
  let damage: Damage | null = null;
  const lose = (first: number, end: number, reason: Lost['reason'] = 'not in the log') => {
    if (first < end) lost.push({ first, last: end - 1, reason });
  };
  const batches = readBatches(fetched);
  for (const [index, batch] of batches.entries()) {
    // Where it ends its head says, which a disk may have changed: the last one is looked at, or there would be no way on.
    const isBelow = batch.nextOffset <= nextOffset;
    const mayBeSpoiled = batch.baseOffset >= nextOffset || index === batches.length - 1;
    if (isBelow && (!mayBeSpoiled || batch.isIntact)) continue;
    lose(nextOffset, batch.baseOffset);
    const first = Math.max(nextOffset, batch.baseOffset);
    if (!batch.isIntact) {
      nextOffset = endOfSpoiled(batch, first, batches[index + 1]);
      epoch = batch.leaderEpoch;
      lose(first, nextOffset, 'a wrong checksum');
      continue;
    }
    if (batch.isControl) {
      const { marker } = batch;
      if (marker) markers.push(marker);
    } else {
      const most = MAX_RECORDS - records.length;
      const some = batch.recordsFrom(first, most);
      if (records.length === 0) records = some;
      else for (const record of some) records.push(record);
      unpackCost += batch.unpackCost;
      if (batch.damage) damage = { error: batch.damage, nextOffset: batch.nextOffset };
      const last = some.at(-1);
      const isCut = some.length === most && last !== undefined;
      const end = isCut ? last.offset + 1 : batch.nextOffset;
      if (!batch.isComplete) eachGap(some, first, end, lose);
      if (isCut)
        return { records, markers, nextOffset: end, epoch: batch.leaderEpoch, unpackCost, damage, lost };
    }
    nextOffset = batch.nextOffset;
    epoch = batch.leaderEpoch;
    if (unpackCost >= MAX_UNPACK_COST) break;
  }
  return { records, markers, nextOffset, epoch, unpackCost, damage, lost };
}

/** Calls back with each stretch of offsets, from one to in front of another, that none of these records has. */
function eachGap(
  records: readonly RawRecord[],
  first: number,
  end: number,
  visit: (first: number, end: number) => void,
): void {
  let from = first;
  for (const { offset } of records) {
    visit(from, offset);
    from = offset + 1;
  }
  visit(from, end);
}

/**
 * The offset after a batch whose head cannot be believed: where the next one begins, or what two of its fields agree on;
 * otherwise the next offset, so that nothing which may lie behind it is missed.
 */
function endOfSpoiled(batch: LogBatch, first: number, next: LogBatch | undefined): number {
  if (next !== undefined && next.baseOffset > first) return next.baseOffset;
  return batch.isComplete ? Math.max(batch.nextOffset, first + 1) : first + 1;
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
