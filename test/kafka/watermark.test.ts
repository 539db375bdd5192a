import { describe, expect, it } from 'vitest';
import { MAX_METADATA_CHARACTERS, Watermark } from '../../src/storage/kafka/groups/watermark.ts';
import { demandUuid } from '../../src/util/uuid.ts';
import { Random } from '../protocol/random.ts';

const ME = '11111111-2222-4333-8444-555555555555';
const ID = demandUuid(ME);

function roundTrip(watermark: Watermark): Watermark | null {
  return Watermark.decode(watermark.low, watermark.encode(ID), ID);
}

describe('watermark', () => {
  it('moves up with acknowledgements in order', () => {
    const watermark = new Watermark(5);
    expect(watermark.add(5, 5)).toBe(true);
    expect(watermark.add(6, 9)).toBe(true);
    expect(watermark.low).toBe(10);
    expect(watermark.ranges).toEqual([]);
  });

  it('keeps what comes out of order as ranges and melts them when the gap closes', () => {
    const watermark = new Watermark(0);
    watermark.add(4, 5);
    watermark.add(8, 8);
    watermark.add(2, 2);
    expect(watermark.low).toBe(0);
    expect(watermark.ranges).toEqual([
      [2, 2],
      [4, 5],
      [8, 8],
    ]);
    expect(watermark.acknowledgedAbove).toBe(4);
    watermark.add(3, 3);
    expect(watermark.ranges).toEqual([
      [2, 5],
      [8, 8],
    ]);
    watermark.add(0, 1);
    expect(watermark.low).toBe(6);
    expect(watermark.ranges).toEqual([[8, 8]]);
    watermark.add(6, 7);
    expect(watermark.low).toBe(9);
    expect(watermark.ranges).toEqual([]);
  });

  it('says when nothing changed', () => {
    const watermark = new Watermark(3, [[6, 9]]);
    expect(watermark.add(0, 2)).toBe(false);
    expect(watermark.add(7, 8)).toBe(false);
    expect(watermark.add(9, 8)).toBe(false);
  });

  it('agrees with a set of offsets, whatever the order', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Random(seed);
      const watermark = new Watermark(10);
      const truth = new Set<number>();
      for (let step = 0; step < 200; step++) {
        const first = random.below(200);
        const last = first + random.below(5);
        watermark.add(first, last);
        for (let offset = first; offset <= last; offset++) truth.add(offset);
      }
      const has = (offset: number) => offset < 10 || truth.has(offset);
      const count = (first: number, last: number) => {
        let sum = 0;
        for (let offset = first; offset <= last; offset++) sum += has(offset) ? 1 : 0;
        return sum;
      };
      for (const [first, last] of [
        [0, 300],
        [5, 8],
        [50, 120],
        [7, 6],
      ] as const) {
        expect(watermark.count(first, last), `seed ${seed}, ${first} to ${last}`).toBe(count(first, last));
      }
      for (let offset = 0; offset < 220; offset++) {
        expect(watermark.has(offset), `seed ${seed}, offset ${offset}`).toBe(has(offset));
        let missing = offset;
        while (has(missing)) missing++;
        expect(watermark.nextMissing(offset), `seed ${seed}, from ${offset}`).toBe(missing);
      }
      expect(roundTrip(watermark)?.ranges, `seed ${seed}`).toEqual(watermark.ranges);
      const from = random.below(220);
      watermark.cut(from);
      for (let offset = 0; offset < 220; offset++) {
        expect(watermark.has(offset), `seed ${seed}, cut at ${from}`).toBe(offset < from && has(offset));
      }
      expect(watermark.top).toBeLessThanOrEqual(from);
      expect(watermark.has(watermark.top - 1) || watermark.top === 0, `seed ${seed}`).toBe(true);
    }
  });

  it('is written as documented', () => {
    const watermark = new Watermark(100, [
      [101, 101],
      [110, 145],
    ]);
    expect(watermark.encode(ID)).toBe(`1 ${ME} 1,8+z`);
    expect(new Watermark(7).encode(ID)).toBe(`1 ${ME} `);
    expect(watermark.encode(ID, 'abcdef')).toBe(`1 ${ME} 1,8+z abcdef`);
    expect(Watermark.decode(watermark.low, watermark.encode(ID, 'abcdef'), ID)).toEqual(watermark);
  });

  it('counts a commit of another life, of another format, or a damaged one as missing', () => {
    const other = ME.replace('1', '9');
    expect(Watermark.decode(3, `1 ${other} `, ID)).toBeNull();
    for (const metadata of [
      '',
      ME,
      `2 ${ME} `,
      `1 ${ME}`,
      `1 ${ME} x y z a`,
      `1 ${ME} 1,`,
      `1 ${ME} -1`,
      `1 ${ME} 1+`,
      `1 ${ME} ${'z'.repeat(12)}`,
    ]) {
      expect(Watermark.decode(3, metadata, ID), metadata).toBeNull();
    }
  });

  it('is full before the metadata is, and never writes more than Kafka takes', () => {
    const watermark = new Watermark(0);
    let offset = 1;
    while (!watermark.isFull()) {
      watermark.add(offset, offset);
      offset += 1_000;
    }
    expect(watermark.encode(ID).length).toBeLessThan(MAX_METADATA_CHARACTERS);
    for (let more = 0; more < 2_000; more++) {
      watermark.add(offset, offset);
      offset += 1_000;
    }
    const metadata = watermark.encode(ID);
    expect(metadata.length).toBeLessThanOrEqual(MAX_METADATA_CHARACTERS);
    const read = Watermark.decode(0, metadata, ID);
    expect(read?.ranges.length).toBeGreaterThan(100);
    expect(watermark.ranges.slice(0, read?.ranges.length)).toEqual(read?.ranges);
    watermark.add(0, offset);
    expect(watermark.isFull()).toBe(false);
  });
});
