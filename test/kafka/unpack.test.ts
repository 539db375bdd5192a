/** What others have packed: honest bytes of every codec come back, and nothing else takes more room than it may. */
import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../src/storage/kafka/wire/fetched-records.ts';
import { readBatches } from '../../src/storage/kafka/wire/log-batch.ts';
import { MAX_UNPACKED_BYTES, unpack } from '../../src/storage/kafka/wire/unpack.ts';
import { TooLarge } from '../../src/storage/kafka/wire/unpacked.ts';
import { sized } from '../size.ts';
import { CODECS, type Codec, packedBatch, rawBatch, records, varint, zeros } from './packed.ts';

const KIND: Readonly<Record<Codec, number>> = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

function pack(codec: Codec, bytes: Buffer): Buffer {
  return Buffer.from(compressionsAlgorithms[codec].compressSync(bytes));
}

/** The same on every run: as many bytes, from zeros to noise. */
function sample(length: number, noise: number): Buffer {
  const bytes = Buffer.alloc(length);
  let seed = createHash('sha256').update(`${length} ${noise}`).digest();
  for (let i = 0; i < length; i++) {
    if (i % 32 === 0) seed = createHash('sha256').update(seed).digest();
    bytes[i] = seed.readUInt8(i % 32) % noise;
  }
  return bytes;
}

const SAMPLES = [0, 1, 15, 16, 100, 4_096, 70_000, 300_000].flatMap((length) =>
  [1, 2, 30, 256].map((noise) => sample(length, noise)),
);

describe.each(CODECS)('%s', (codec) => {
  const kind = KIND[codec];

  it('gives back what was packed', () => {
    for (const bytes of SAMPLES) {
      // The library packs nothing into something that it cannot read itself.
      if (bytes.length > 0) expect(unpack(kind, pack(codec, bytes)).equals(bytes)).toBe(true);
    }
  });

  it('gives as much as there is room for and no byte more', () => {
    const packed = pack(codec, Buffer.alloc(1_000_000, 'abc'));
    expect(unpack(kind, packed, 1_000_000)).toHaveLength(1_000_000);
    expect(() => unpack(kind, packed, 999_999)).toThrow(TooLarge);
  });

  it('takes little memory for a bomb', () => {
    const packed = pack(codec, Buffer.alloc(sized(5, 8) * MAX_UNPACKED_BYTES));
    const before = process.memoryUsage().arrayBuffers;
    expect(() => unpack(kind, packed)).toThrow(TooLarge);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MAX_UNPACKED_BYTES);
  });

  it('is refused where it is cut or damaged, or gives no more than it may', () => {
    const packed = pack(codec, sample(sized(600, 3_000), 30));
    for (let at = 0; at < packed.length; at++) {
      if (at > 0) expect(() => unpack(kind, packed.subarray(0, at))).toThrow(RangeError);
      for (const flip of [0x01, 0x80, 0xff]) {
        const bad = Buffer.from(packed);
        bad.writeUInt8(bad.readUInt8(at) ^ flip, at);
        try {
          expect(unpack(kind, bad, 100_000).length).toBeLessThanOrEqual(100_000);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }
  });
});

describe('unusual streams', () => {
  it('gzip of several members, and zstd of several frames, some of them to be skipped', () => {
    const two = [Buffer.from('one'), Buffer.from('two')];
    expect(unpack(1, Buffer.concat(two.map((bytes) => gzipSync(bytes)))).toString()).toBe('onetwo');
    const skipped = Buffer.from('502a4d1804000000deadbeef', 'hex');
    const frames = [skipped, ...two.map((bytes) => zstdCompressSync(bytes)), skipped];
    expect(unpack(4, Buffer.concat(frames)).toString()).toBe('onetwo');
    expect(() => unpack(4, Buffer.concat(frames), 5)).toThrow(TooLarge);
    expect(unpack(4, Buffer.concat(frames), 6)).toHaveLength(6);
  });

  it('zstd of thousands of frames, of an endless one, and of one with a window of 128 MiB are refused', () => {
    const empty = zstdCompressSync(Buffer.alloc(0));
    const skipped = Buffer.from('502a4d1800000000', 'hex');
    for (const frame of [empty, skipped]) {
      expect(() => unpack(4, Buffer.concat(Array.from({ length: 10_000 }, () => frame)))).toThrow(RangeError);
    }
    expect(() => unpack(4, Buffer.from('502a4d18ffffffff', 'hex'))).not.toThrow();
    expect(() => unpack(4, Buffer.from('28b52ffd00880800007823030079', 'hex'))).toThrow(RangeError);
  });

  it('snappy of the Java library, in chunks, and two such streams', () => {
    const header = Buffer.from('82534e41505059000000000100000001', 'hex');
    const chunks = [sample(30_000, 3), sample(5, 256), sample(32_768, 1)];
    const framed = chunks.flatMap((chunk) => {
      const packed = pack('snappy', chunk);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(packed.length);
      return [length, packed];
    });
    const stream = Buffer.concat([header, ...framed]);
    const all = Buffer.concat(chunks);
    expect(unpack(2, stream).equals(all)).toBe(true);
    expect(unpack(2, Buffer.concat([stream, stream])).equals(Buffer.concat([all, all]))).toBe(true);
    expect(() => unpack(2, stream, all.length - 1)).toThrow(TooLarge);
    for (let at = 17; at < 40; at++) expect(() => unpack(2, stream.subarray(0, at))).toThrow(RangeError);
  });

  it('snappy that claims more than it has shows nothing of other memory', () => {
    expect(() => unpack(2, Buffer.from([0xe8, 0x07, 0x00, 0x41]))).toThrow(RangeError);
    expect(() => unpack(2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x41]))).toThrow(TooLarge);
    // A copy from before the beginning.
    expect(() => unpack(2, Buffer.from([8, 0x00, 0x41, 0x0d, 0x09]))).toThrow(RangeError);
  });

  it('LZ4 with sizes and checksums, of blocks that are not packed, and what it does not know', () => {
    // Flags: version 1, independent blocks, their checksums, content size, content checksum.
    const head = Buffer.from('04224d187c40030000000000000000', 'hex');
    const block = Buffer.from('03000080616263aaaaaaaa00000000bbbbbbbb', 'hex');
    expect(unpack(3, Buffer.concat([head, block])).toString()).toBe('abc');
    const large = Buffer.from(head);
    large.writeUInt32LE(1, 10);
    expect(() => unpack(3, Buffer.concat([large, block]))).toThrow(TooLarge);
    const dictionary = Buffer.from(head);
    dictionary[4] = 0x7d;
    expect(() => unpack(3, Buffer.concat([dictionary, block]))).toThrow(RangeError);
  });

  it('an LZ4 block larger than its frame says is damaged, and not too large', () => {
    // Blocks of 64 KiB at most, and one of 70,000 zeros.
    const length = 70_000 - 19;
    const more = [...Array<number>(Math.floor(length / 255)).fill(255), length % 255];
    const block = Buffer.from([0x1f, 0, 1, 0, ...more, 0]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    const frame = Buffer.concat([Buffer.from('04224d18604000', 'hex'), size, block, Buffer.alloc(4)]);
    expect(() => unpack(3, frame)).toThrow('cannot be unpacked');
    frame.writeUInt8(0x50, 5);
    expect(unpack(3, frame)).toHaveLength(70_001);
  });

  it.each([0, 5, 6, 7])('of codec %i are not known', (kind) => {
    expect(() => unpack(kind, Buffer.from('abc'))).toThrow(RangeError);
  });
});

describe('packed batches', () => {
  const content = (i: number) => Buffer.from([1, ...varint(1), 0x41 + (i % 26), 0]);
  const small = records(Array.from({ length: 5 }, (_, i) => content(i)));

  it.each(CODECS)(
    'of %s hold what was written, and a bomb between them is stepped over as a whole',
    (codec) => {
      const log = Buffer.concat([
        packedBatch(small, 5, codec),
        packedBatch(zeros(2 * MAX_UNPACKED_BYTES), 1, codec, 5),
        packedBatch(small, 5, codec, 6),
      ]);
      let from = 0;
      const seen: number[] = [];
      let rounds = 0;
      for (; from < 11 && rounds < 5; rounds++) {
        const read = readRecords(log, from);
        seen.push(...read.records.map(({ offset }) => offset));
        from = read.nextOffset;
      }
      expect(seen).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10]);
      const [, bomb] = readBatches(log);
      expect([bomb?.recordsFrom(0), bomb?.damage, bomb?.nextOffset]).toEqual([[], expect.any(TooLarge), 6]);
    },
  );

  it('thousands of which each are just small enough are taken a few at a time', () => {
    const one = packedBatch(zeros(MAX_UNPACKED_BYTES - 100), 1, 'zstd');
    const log = Buffer.concat(
      Array.from({ length: 1_000 }, (_, i) => {
        const next = Buffer.from(one);
        next.writeBigInt64BE(BigInt(i), 0);
        return next;
      }),
    );
    const { records: found, nextOffset, unpackCost } = readRecords(log, 0);
    expect([found.length, nextOffset]).toEqual([1, 1]);
    expect(unpackCost).toBeGreaterThan(MAX_UNPACKED_BYTES - 100);
    expect(readRecords(log, 999).nextOffset).toBe(1_000);
  });

  it('of very many records give some at a time, all of them in the end', () => {
    const many = records(Array.from({ length: 10_000 }, (_, i) => content(i)));
    const log = packedBatch(many, 10_000, 'zstd');
    const seen: number[] = [];
    for (let from = 0; from < 10_000; ) {
      const read = readRecords(log, from);
      expect(read.records.length).toBeLessThan(5_000);
      seen.push(...read.records.map(({ offset }) => offset));
      from = read.nextOffset;
    }
    expect(seen).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    const [batch] = readBatches(log);
    const sizes: number[] = [];
    for (let from = 0; from < 10_000; from += 3_000) sizes.push(batch?.recordsFrom(from, 3_000).length ?? -1);
    expect(sizes).toEqual([3_000, 3_000, 3_000, 1_000]);
  });

  /** Each of seven bytes, and all of them at the batch's first place. */
  const lying = (count: number) => Buffer.alloc(7 * count, Buffer.from([12, 0, 0, 0, 1, 1, 0]));

  it('cost what their records do, too, and not only their bytes', () => {
    const count = 50_000;
    const { records: found, unpackCost } = readRecords(packedBatch(lying(count), count, 'zstd'), 0);
    expect([found.length, unpackCost]).toEqual([1, expect.any(Number)]);
    expect(unpackCost).toBeGreaterThan(count * (7 + 16));
  });

  it('of more records than anybody puts into one are stepped over, and not unpacked', () => {
    const count = 599_186;
    const log = Buffer.concat([
      packedBatch(lying(count), count, 'zstd'),
      packedBatch(small, 5, 'zstd', count),
    ]);
    const { records: found, nextOffset, unpackCost, damage } = readRecords(log, 0);
    expect([found.length, nextOffset]).toEqual([5, count + 5]);
    expect(damage).toMatchObject({ error: expect.any(RangeError), nextOffset: count });
    expect(unpackCost).toBeLessThan(100_000);
  });

  it('of as many as may be take few rounds', () => {
    const count = 150_000;
    const log = packedBatch(records(Array.from({ length: count }, (_, i) => content(i))), count, 'zstd');
    let rounds = 0;
    for (let from = 0; from < count; rounds++) from = readRecords(log, from).nextOffset;
    expect(rounds).toBe(37);
  });

  it.each(CODECS)('of %s that turn out damaged only at their end cost as much as good ones', (codec) => {
    const packed = pack(codec, Buffer.alloc(MAX_UNPACKED_BYTES - 100));
    const log = rawBatch(packed.subarray(0, -1), { count: 1, kind: KIND[codec] });
    const { unpackCost, damage } = readRecords(log, 0);
    expect(damage).not.toBeNull();
    expect(unpackCost).toBeGreaterThan(MAX_UNPACKED_BYTES - 100);
  });

  it('may claim any number of records, and records of any length', () => {
    for (const [bytes, count] of [
      [small, 2 ** 31 - 1],
      [Buffer.concat([varint(2 ** 30), small]), 5],
      [Buffer.concat([small, Buffer.from('no record')]), 9],
      // A record of zeros claims to have no bytes at all.
      [Buffer.alloc(1_000_000), 2 ** 31 - 1],
    ] as const) {
      const log = Buffer.concat([
        rawBatch(pack('zstd', bytes), { count, kind: 4 }),
        packedBatch(small, 5, 'zstd', count),
      ]);
      const { nextOffset, records: found } = readRecords(log, 0);
      expect(nextOffset).toBe(count + 5);
      expect(found.slice(-5).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4].map((i) => count + i));
    }
  });
});
