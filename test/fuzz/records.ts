/*
 * Batches as they lie in a log: honest ones of every codec, compacted ones, ends of transactions, such as producers make that lie,
 * and what a disk makes of them.
 */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms, crc32c } from '@platformatic/kafka';
import { type ReadRecords, readRecords } from '../../src/storage/kafka/wire/fetched-records.ts';
import { eachHeader, type RawRecord } from '../../src/storage/kafka/wire/log-batch.ts';
import { MAX_UNPACKED_BYTES } from '../../src/storage/kafka/wire/unpack.ts';
import { markerBatch, rawBatch, varint } from '../kafka/packed.ts';
import type { Random } from '../protocol/random.ts';
import { demand, demandSame, either, mutate, type Target } from './fuzzing.ts';

/** By the number that attributes have for them; 0 packs nothing. */
const PACK: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => bytes,
  (bytes) => gzipSync(bytes, { level: 1 }),
  (bytes) => Buffer.from(compressionsAlgorithms.snappy.compressSync(bytes)),
  (bytes) => Buffer.from(compressionsAlgorithms.lz4.compressSync(bytes)),
  (bytes) => zstdCompressSync(bytes),
];

interface Written {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly string[];
}

/** A log, and what is in it. */
interface Log {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly records: readonly Written[];
  readonly markers: readonly number[];
}

function honestLog(random: Random): Log {
  const start = either(random, [() => 0, () => random.below(1_000), () => 2 ** 40 + random.below(9)]);
  const batches: Buffer[] = [];
  const records: Written[] = [];
  const markers: number[] = [];
  let offset = start;
  for (let left = 1 + random.below(4); left > 0; left--) {
    // What a compaction took away as a whole.
    if (random.below(5) === 0) offset += random.below(5);
    if (random.below(6) === 0) {
      markers.push(offset);
      batches.push(markerBatch(offset, random.below(9), random.below(2) === 0));
      offset += 1;
      continue;
    }
    const span = 1 + random.below(5);
    const isCompacted = random.below(4) === 0;
    const kept = Array.from({ length: span }, (_, at) => at).filter(
      () => !isCompacted || random.below(2) === 0,
    );
    const written = kept.map((at) => record(random, offset + at));
    const kind = random.below(3) === 0 ? random.below(PACK.length) : 0;
    batches.push(batchOf(offset, span, written, kind));
    records.push(...written);
    offset += span;
  }
  return { bytes: Buffer.concat(batches), start, end: offset, records, markers };
}

function record(random: Random, offset: number): Written {
  const text = () => (random.below(8) === 0 ? null : random.text(random.pick([3, 3, 80])));
  const headers = Array.from({ length: 2 * random.below(3) }, () => random.text(5));
  return { offset, key: text(), value: text(), headers };
}

function batchOf(base: number, span: number, written: readonly Written[], kind: number): Buffer {
  const content = Buffer.concat(written.map((one) => encoded(one, one.offset - base)));
  // Nothing may be packed into something that no library reads.
  const codec = written.length === 0 ? 0 : kind;
  const packed = PACK[codec]?.(content) ?? content;
  const batch = rawBatch(packed, { count: written.length, kind: codec, base });
  batch.writeInt32BE(span - 1, 23);
  return sealed(batch);
}

function encoded({ key, value, headers }: Written, place: number): Buffer {
  const parts = [key, value].flatMap(part);
  const named = headers.flatMap(part);
  const body = Buffer.concat([
    Buffer.of(0, 0),
    varint(place),
    ...parts,
    varint(headers.length / 2),
    ...named,
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function part(text: string | null): Buffer[] {
  if (text === null) return [varint(-1)];
  const bytes = Buffer.from(text);
  return [varint(bytes.length), bytes];
}

/** With the checksum of what is in it by now. */
function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** Of one log so many others are made: packing costs more than reading. */
const VARIANTS = 6;

export const records: Target = {
  name: 'records',
  unit: 'batches',
  judge: (random) => {
    const log = honestLog(random);
    judgeHonest(random, log);
    for (let times = 0; times < VARIANTS; times++) {
      walk(strangeLog(random, log.bytes), log.start + (times % 2) * random.below(20));
    }
    return (2 + VARIANTS) * placesOf(log.bytes).length;
  },
};

/** From any offset on, all that was written is there, and all that was taken away is told. */
function judgeHonest(random: Random, { bytes, start, end, records: written, markers }: Log): void {
  const from = start + random.below(end - start + 1);
  const found = walk(bytes, from);
  const behind = written.filter(({ offset }) => offset >= from);
  demandSame(found.records.map(plain), behind, bytes);
  demandSame(
    found.markers,
    markers.filter((offset) => offset >= from),
    bytes,
  );
  const there = new Set([...written.map(({ offset }) => offset), ...markers]);
  const lost = Array.from({ length: end - from }, (_, at) => from + at).filter(
    (offset) => !there.has(offset),
  );
  demandSame(found.lost, lost, bytes);
  demand(found.nextOffset === end && !found.isDamaged, () => `ends at ${found.nextOffset}, not at ${end}`);
  // A fetch ends where its limit is: what is cut comes with the next one.
  const cut = random.below(bytes.length);
  const some = walk(bytes.subarray(0, cut), from);
  demandSame(some.records.map(plain), behind.slice(0, some.records.length), bytes);
}

function plain({ offset, key, value, headers }: RawRecord): Written {
  const texts: string[] = [];
  eachHeader(headers, (nameAt, nameEnd, at, valueEnd) => {
    demand(
      nameAt <= nameEnd && nameEnd <= at && at <= valueEnd && valueEnd <= headers.length,
      () => `a header at ${[nameAt, nameEnd, at, valueEnd]}`,
    );
    texts.push(headers.toString('utf8', nameAt, nameEnd), headers.toString('utf8', at, valueEnd));
  });
  return { offset, key: key?.toString() ?? null, value: value?.toString() ?? null, headers: texts };
}

/** Lies under a right checksum, and what a disk has changed. */
function strangeLog(random: Random, log: Buffer): Buffer {
  return either(random, [
    () => Buffer.concat(placesOf(log).map(([start, end]) => lying(random, log.subarray(start, end)))),
    () => mutate(random, log),
  ]);
}

function lying(random: Random, batch: Buffer): Buffer {
  if (random.below(3) === 0) return Buffer.from(batch);
  const number = () => either(random, [() => random.below(6), () => -1 - random.below(3), () => 2 ** 31 - 1]);
  const inside = () => Buffer.concat([batch.subarray(0, 61), mutate(random, batch.subarray(61))]);
  const lied = either(random, [
    inside,
    inside,
    () => changed(batch, (bytes) => bytes.writeInt32BE(number(), 57)),
    () => changed(batch, (bytes) => bytes.writeInt32BE(number(), 23)),
    () => changed(batch, (bytes) => bytes.writeInt16BE(random.below(128), 21)),
    () => changed(batch, (bytes) => bytes.writeInt8(random.below(4), 16)),
  ]);
  lied.writeInt32BE(lied.length - 12, 8);
  return sealed(lied);
}

function changed(batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(batch);
  change(bytes);
  return bytes;
}

interface Walked {
  readonly records: RawRecord[];
  readonly markers: number[];
  /** Each offset. */
  readonly lost: number[];
  nextOffset: number;
  isDamaged: boolean;
}

/** Offsets that are noted one by one. */
const MOST_LOST = 1_000;

/** Reads on until nothing more comes. Every step goes on, in order, within the bytes of its batch. */
function walk(log: Buffer, from: number): Walked {
  const walked: Walked = { records: [], markers: [], lost: [], nextOffset: from, isDamaged: false };
  for (let step = 0; ; step++) {
    const read = readOrNone(log, walked.nextOffset);
    if (read === null || read.nextOffset === walked.nextOffset) return walked;
    // No log comes so far: the disk has changed a place, which no checksum covers.
    if (read.nextOffset > Number.MAX_SAFE_INTEGER) return walked;
    judgeStep(log, walked.nextOffset, read);
    // Of a head that nobody can believe each offset is asked for by itself, until the next batch is there.
    if (step > 20 && read.lost.some(({ reason }) => reason === 'a wrong checksum')) return walked;
    demand(step < 50, () => `goes on and on: ${log.toString('hex')}`);
    walked.records.push(...read.records);
    walked.markers.push(...read.markers.map(({ offset }) => offset));
    for (const { first, last } of read.lost) {
      for (let offset = first; offset <= Math.min(last, first + MOST_LOST); offset++)
        walked.lost.push(offset);
    }
    walked.nextOffset = read.nextOffset;
    walked.isDamaged ||= read.damage !== null;
  }
}

function readOrNone(log: Buffer, from: number): ReadRecords | null {
  try {
    return readRecords(log, from);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function judgeStep(
  log: Buffer,
  from: number,
  { records: found, nextOffset, lost, unpackCost }: ReadRecords,
): void {
  demand(nextOffset > from, () => `goes back from ${from} to ${nextOffset}: ${log.toString('hex')}`);
  demand(unpackCost < 3 * MAX_UNPACKED_BYTES, () => `costs ${unpackCost}: ${log.toString('hex')}`);
  let least = from;
  for (const one of found) {
    demand(one.offset >= least && one.offset < nextOffset, () => `${one.offset} comes behind ${least}`);
    least = one.offset + 1;
    plain(one);
  }
  let end = from;
  for (const { first, last } of lost) {
    demand(
      first >= end && last >= first && last < nextOffset,
      () =>
        `${first}..${last} is lost behind ${end}, in front of ${nextOffset}, from ${from} on: ${log.toString('hex')}`,
    );
    end = last + 1;
    demand(
      !found.some(({ offset }) => offset >= first && offset <= last),
      () => `${first}..${last} is not lost`,
    );
  }
  judgeBounds(log, found);
}

/** No record shows bytes of another batch, nor of other memory. */
function judgeBounds(log: Buffer, found: readonly RawRecord[]): void {
  const places = placesOf(log);
  for (const { offset, key, value, headers } of found) {
    for (const view of [key, value, headers]) {
      if (view === null || view.length === 0 || view.buffer !== log.buffer) continue;
      const at = view.byteOffset - log.byteOffset;
      // What was packed lies elsewhere.
      if (at < 0 || at >= log.length) continue;
      const isInside = places.some(([start, end]) => at >= start && at + view.length <= end);
      demand(isInside, () => `${offset} has bytes of two batches: ${log.toString('hex')}`);
    }
  }
}

/** Where each batch begins and ends that is there as a whole. */
function placesOf(log: Buffer): (readonly [start: number, end: number])[] {
  const places: (readonly [number, number])[] = [];
  for (let at = 0; log.length - at >= 12; ) {
    const end = at + 12 + log.readInt32BE(at + 8);
    if (end > log.length || end <= at) break;
    places.push([at, end]);
    at = end;
  }
  return places;
}
