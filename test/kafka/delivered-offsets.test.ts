import { describe, expect, it } from 'vitest';
import {
  DeliveredOffsets,
  MAX_METADATA_CHARACTERS,
} from '../../src/storage/kafka/groups/delivered-offsets.ts';
import { demandUuid } from '../../src/util/uuid.ts';

const ME = '11111111-2222-4333-8444-555555555555';
const ID = demandUuid(ME);

describe('watermark', () => {
  it('moves up with acknowledgements in order', () => {
    const delivered = new DeliveredOffsets(5);
    expect(delivered.add(5, 5)).toBe(true);
    expect(delivered.add(6, 9)).toBe(true);
    expect(delivered.low).toBe(10);
    expect(delivered.ranges).toEqual([]);
  });

  it('keeps what comes out of order as ranges and melts them when the gap closes', () => {
    const delivered = new DeliveredOffsets(0);
    delivered.add(4, 5);
    delivered.add(8, 8);
    delivered.add(2, 2);
    expect(delivered.low).toBe(0);
    expect(delivered.ranges).toEqual([
      [2, 2],
      [4, 5],
      [8, 8],
    ]);
    expect(delivered.acknowledgedAbove).toBe(4);
    delivered.add(3, 3);
    expect(delivered.ranges).toEqual([
      [2, 5],
      [8, 8],
    ]);
    delivered.add(0, 1);
    expect(delivered.low).toBe(6);
    expect(delivered.ranges).toEqual([[8, 8]]);
    delivered.add(6, 7);
    expect(delivered.low).toBe(9);
    expect(delivered.ranges).toEqual([]);
  });

  it('says when nothing changed', () => {
    const delivered = new DeliveredOffsets(3, [[6, 9]]);
    expect(delivered.add(0, 2)).toBe(false);
    expect(delivered.add(7, 8)).toBe(false);
    expect(delivered.add(9, 8)).toBe(false);
  });

  it('is written as documented', () => {
    const delivered = new DeliveredOffsets(100, [
      [101, 101],
      [110, 145],
    ]);
    expect(delivered.encode(ID)).toBe(`1 ${ME} 1,8+z`);
    expect(new DeliveredOffsets(7).encode(ID)).toBe(`1 ${ME} `);
    expect(delivered.encode(ID, 'abcdef')).toBe(`1 ${ME} 1,8+z abcdef`);
    expect(DeliveredOffsets.decode(delivered.low, delivered.encode(ID, 'abcdef'), ID)).toEqual(delivered);
  });

  it('counts a commit of another life, of another format, or a damaged one as missing', () => {
    const other = ME.replace('1', '9');
    expect(DeliveredOffsets.decode(3, `1 ${other} `, ID)).toBeNull();
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
      expect(DeliveredOffsets.decode(3, metadata, ID), metadata).toBeNull();
    }
  });

  it('is full before the metadata is, and never writes more than Kafka takes', () => {
    const delivered = new DeliveredOffsets(0);
    let offset = 1;
    while (!delivered.isFull()) {
      delivered.add(offset, offset);
      offset += 1_000;
    }
    expect(delivered.encode(ID).length).toBeLessThan(MAX_METADATA_CHARACTERS);
    for (let more = 0; more < 2_000; more++) {
      delivered.add(offset, offset);
      offset += 1_000;
    }
    const metadata = delivered.encode(ID);
    expect(metadata.length).toBeLessThanOrEqual(MAX_METADATA_CHARACTERS);
    const read = DeliveredOffsets.decode(0, metadata, ID);
    expect(read?.ranges.length).toBeGreaterThan(100);
    expect(delivered.ranges.slice(0, read?.ranges.length)).toEqual(read?.ranges);
    delivered.add(0, offset);
    expect(delivered.isFull()).toBe(false);
  });
});
