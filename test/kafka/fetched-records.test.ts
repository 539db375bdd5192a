/** Batches as the library writes them, read by ours. */
import { crc32c, createRecordsBatch, type MessageRecord } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../src/storage/kafka/wire/fetched-records.ts';
import { eachHeader, type RawRecord, readBatches } from '../../src/storage/kafka/wire/log-batch.ts';
import { encodeBatch, encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';
import { markerBatch, rawBatch, records, recordsAt, recordsOf } from './packed.ts';

const START = 1_000_000_000_000;

function messages(count: number): MessageRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ topic: 't', partition: 0, key: Buffer.from(`k${i}`), timestamp: BigInt(START + 40 * i - 100) },
    value: Buffer.from('čau '.repeat(i % 50)),
    headers: new Map([[Buffer.from('ce_id'), Buffer.from(`id ${i}`)]]),
  }));
}

/** At that offset, with further bits in its attributes. */
function batch(base: number, count: number, attributes = 0, compression?: 'gzip'): Buffer {
  const options = compression === undefined ? {} : { compression };
  const bytes = Buffer.from(createRecordsBatch(messages(count), options).buffer);
  bytes.writeBigInt64BE(BigInt(base));
  bytes.writeInt16BE(bytes.readInt16BE(21) | attributes, 21);
  return sealed(bytes);
}

/** With the checksum of what is in it by now. */
function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

const offsets = (records: readonly RawRecord[]): number[] => records.map(({ offset }) => offset);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('fetched batches', () => {
  it('hold what was written', () => {
    const { records, nextOffset } = readRecords(batch(2 ** 40, 300), 0);
    expect(nextOffset).toBe(2 ** 40 + 300);
    expect(offsets(records)).toEqual(range(2 ** 40, 2 ** 40 + 300));
    for (const [i, { key, value, timestamp, headers }] of records.entries()) {
      expect([key?.toString(), value?.toString()]).toEqual([`k${i}`, 'čau '.repeat(i % 50)]);
      expect(timestamp).toBe(START + 40 * i - 100);
      const seen: string[] = [];
      eachHeader(headers, (nameAt, nameEnd, at, end) =>
        seen.push(`${headers.subarray(nameAt, nameEnd)}=${headers.subarray(at, end)}`),
      );
      expect(seen).toEqual([`ce_id=id ${i}`]);
    }
  });

  it('begin at the offset that is asked for, within a batch and behind batches', () => {
    const log = Buffer.concat([batch(0, 10), batch(10, 10), batch(25, 5)]);
    expect(offsets(readRecords(log, 13).records)).toEqual([...range(13, 20), ...range(25, 30)]);
    expect(readRecords(log, 30)).toMatchObject({ records: [], nextOffset: 30, unpackCost: 0, damage: null });
  });

  it('may be compressed, have the append time, or be control batches', () => {
    expect(offsets(readRecords(batch(0, 40, 0, 'gzip'), 30).records)).toEqual(range(30, 40));
    const times = readRecords(batch(0, 3, 1 << 3), 0).records.map(({ timestamp }) => timestamp);
    expect(times).toEqual([START - 20, START - 20, START - 20]);
    const control = Buffer.concat([batch(0, 1, 1 << 5), batch(1, 1)]);
    expect(readRecords(control, 0)).toMatchObject({ nextOffset: 2, records: [{ offset: 1 }] });
  });

  it('may lie about the place of their records: those outside the batch, or not behind the one before, are left out', () => {
    const one = Buffer.from(batch(500, 1));
    // The offset of its only record, behind its length (2 bytes), attributes and time: 63 instead of 0.
    const at = one.indexOf(Buffer.from('k0')) - 2;
    expect(one[at]).toBe(0);
    one[at] = 126;
    const log = Buffer.concat([sealed(one), batch(501, 100)]);
    const { records, nextOffset, lost } = readRecords(log, 500);
    expect(offsets(records)).toEqual(range(501, 601));
    expect(nextOffset).toBe(601);
    const two = Buffer.from(batch(0, 2));
    two[two.indexOf(Buffer.from('k1')) - 2] = 0;
    const read = readRecords(sealed(two), 0);
    expect(offsets(read.records)).toEqual([0]);
    expect([lost, read.lost], 'nobody has lost what its producer hid').toEqual([[], []]);
  });

  it('cut anywhere give the whole batches before the cut', () => {
    const [first, second] = [batch(0, 5), batch(5, 5)];
    const log = Buffer.concat([first, second]);
    for (let length = 0; length < log.length; length++) {
      const whole = length < first.length ? 0 : 5;
      expect(readRecords(log.subarray(0, length), 0).nextOffset).toBe(whole);
    }
  });

  it('that are damaged are gone past, with what could be read of them', () => {
    const good = batch(0, 5);
    let damaged = 0;
    for (let at = 12; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ 0xff, at);
      const [only, ...more] = readBatches(bad);
      expect(more).toEqual([]);
      expect(only?.recordsFrom(0).length).toBeLessThanOrEqual(5);
      if (only?.damage) damaged += 1;
    }
    expect(damaged).toBeGreaterThan(10);
  });

  it('have numbers of five bytes at most, and of the fifth only what fits into 32 bits counts, as Kafka sees it', () => {
    const long = (value: number) => [2 * value + 0x80, 0x80, 0x80, 0x80, 0x10];
    const body = (key: number[]) => Buffer.from([...key, ...Buffer.from('kk'), 4, ...Buffer.from('vv'), 0]);
    const producer = { id: -1n, epoch: -1 };
    const [fine, endless] = [long(2), [...long(2).slice(0, 4), 0x90, 0]].map((key) =>
      encodeBatch([body([4]), body(key), body([4])], producer, -1, START),
    );
    const read = readRecords(fine ?? Buffer.alloc(0), 0);
    expect(read.records.map(({ key, value }) => `${key}=${value}`)).toEqual(['kk=vv', 'kk=vv', 'kk=vv']);
    // What is no record ends the batch, and it is behind the reader all the same.
    const [damaged] = readBatches(endless ?? Buffer.alloc(0));
    expect(damaged?.recordsFrom(0).map(({ offset }) => offset)).toEqual([0]);
    expect([damaged?.damage, damaged?.nextOffset]).toEqual([expect.any(RangeError), 3]);
    expect(readRecords(endless ?? Buffer.alloc(0), 0).nextOffset).toBe(3);
  });

  it('may claim two billion records of less than nothing', () => {
    const bytes = batch(0, 1);
    bytes.writeInt32BE(2 ** 31 - 1, 57);
    // The length of the first record, which takes two bytes: -4.
    Buffer.from([0x87, 0]).copy(bytes, 61);
    const [only] = readBatches(bytes);
    expect([only?.recordsFrom(0), only?.damage, only?.nextOffset]).toEqual([[], expect.any(RangeError), 1]);
  });

  it('may have headers that are none: those before them count', () => {
    const seen: number[] = [];
    const headers = Buffer.from([4, 2, 65, 2, 66, 0x7e, 65]);
    eachHeader(headers, (...place) => seen.push(...place));
    expect(seen).toEqual([2, 3, 4, 5]);
  });

  it.each([-12, 0, 48])('are none where one is %i bytes long', (length) => {
    const bytes = batch(0, 1);
    bytes.writeInt32BE(length, 8);
    expect(() => readBatches(bytes)).toThrow(RangeError);
  });
});

describe('what a log has lost', () => {
  /** As a compaction leaves it: with some of its records, and the offsets of all. */
  function compacted(base: number, count: number, kept: readonly number[]): Buffer {
    const packed = recordsAt(kept.map((place) => [place, `m ${place}`] as const));
    const bytes = rawBatch(packed, { count: kept.length, kind: 0, base });
    bytes.writeInt32BE(count - 1, 23);
    return sealed(bytes);
  }

  const missing = (first: number, last: number) => ({ first, last, reason: 'not in the log' });
  const spoiled = (first: number, last: number) => ({ first, last, reason: 'a wrong checksum' });

  it('lies between batches and within them, not where transactions end', () => {
    const log = Buffer.concat([
      batch(2, 3),
      markerBatch(5, 7, true),
      compacted(6, 6, [1, 4]),
      compacted(12, 2, []),
      batch(20, 1),
    ]);
    const all = [
      missing(0, 1),
      missing(6, 6),
      missing(8, 9),
      missing(11, 11),
      missing(12, 13),
      missing(14, 19),
    ];
    const { records, lost, nextOffset, damage } = readRecords(log, 0);
    expect(offsets(records)).toEqual([2, 3, 4, 7, 10, 20]);
    expect(lost).toEqual(all);
    expect([nextOffset, damage]).toEqual([21, null]);
    expect(readRecords(log, 9).lost, 'from there on').toEqual([missing(9, 9), ...all.slice(3)]);
    expect(readRecords(log, 20).lost).toEqual([]);
  });

  it('is a batch whatever byte of it the disk has changed, and nothing behind it', () => {
    const good = batch(5, 3);
    for (let at = 17; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ 0x11, at);
      const read = readRecords(Buffer.concat([batch(0, 5), bad, batch(8, 2)]), 0);
      expect(offsets(read.records), `byte ${at}`).toEqual([...range(0, 5), 8, 9]);
      expect(read.lost.map(({ first, last }) => [first, last])).toEqual([[5, 7]]);
      // At the log's end nobody knows of it more than itself.
      const alone = readRecords(bad, 5);
      const isSure = at < 23 || (at >= 27 && at < 57) || at >= 61;
      expect([alone.records, alone.nextOffset <= 8, alone.markers]).toEqual([[], true, []]);
      // There is a way on in any case, from within it as well.
      expect(alone.nextOffset, `byte ${at}`).toBeGreaterThan(5);
      expect(readRecords(bad, 6).nextOffset, `byte ${at}`).toBeGreaterThan(6);
      if (isSure) expect([alone.lost, alone.nextOffset]).toEqual([[spoiled(5, 7)], 8]);
    }
  });
});

describe('transactions', () => {
  it('are told by their records and by their ends', () => {
    const body = recordsOf(['in it', 'too']);
    const log = Buffer.concat([
      rawBatch(body, { count: 2, kind: 16, base: 0, producerId: 2 ** 40 }),
      rawBatch(recordsOf(['alone']), { count: 1, kind: 0, base: 2 }),
      markerBatch(3, 2 ** 40, true),
      markerBatch(4, 5, false),
    ]);
    const { records, markers, nextOffset } = readRecords(log, 1);
    expect(records.map(({ offset, transactionOf }) => [offset, transactionOf])).toEqual([
      [1, 2 ** 40],
      [2, null],
    ]);
    expect(markers).toEqual([
      { offset: 3, leaderEpoch: -1, producerId: 2 ** 40, isCommit: true },
      { offset: 4, leaderEpoch: -1, producerId: 5, isCommit: false },
    ]);
    expect(nextOffset).toBe(5);
    expect(readRecords(log, 4).markers).toHaveLength(1);
  });

  it('do not end by what is no such end', () => {
    const odd = [Buffer.alloc(0), Buffer.from([0, 0]), Buffer.from([0, 0, 0, 7])].map((key, i) =>
      rawBatch(records([encodeContent({ key, value: null, headers: [] })]), { count: 1, kind: 48, base: i }),
    );
    expect(readRecords(Buffer.concat(odd), 0)).toMatchObject({ records: [], markers: [], nextOffset: 3 });
  });
});
