import { encode, rfc8949EncodeOptions } from 'cborg';
import { describe, expect, it } from 'vitest';
import { cborLength, encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';

const OPTIONS = { ...rfc8949EncodeOptions, ignoreUndefinedProperties: true };
const EDGES = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const TEXTS = [
  '',
  'a',
  'x'.repeat(23),
  'x'.repeat(24),
  'č'.repeat(200),
  '☕\u{1f600}',
  '\ud800',
  'y'.repeat(70_000),
];
const KEYS = ['a', 'b', 'ab', 'aa', 'é', '\uffff', '\u{10000}', 'k'.repeat(30), ''];

/** cborg shares no code with ours: the same values must become the same bytes. */
describe('the CBOR writer', () => {
  it.each(EDGES)('writes %d and its negative as cborg does', (edge) => {
    for (const value of [edge, -edge || 0, -edge - 1].filter(Number.isSafeInteger)) expectSame({ value });
  });

  it('writes everything else as cborg does', () => {
    for (let round = 0; round < 3_000; round++) expectSame(randomMap(3));
  });

  it.each([22, 23, 24, 255, 256])('writes %d keys, and does not count what is undefined', (count) => {
    const entries = Array.from({ length: count }, (_, index) => [`k${index}`, index] as const);
    expectSame({ a: undefined, ...Object.fromEntries(entries), z: undefined });
  });

  it('writes a payload that is larger than its buffer, and small ones after it', () => {
    expectSame({ bodies: Array.from({ length: 100 }, (_, i) => `${i}`.repeat(1_000)) });
    expectSame({ a: 1 });
  });

  it.each([1.5, Number.NaN, 2 ** 53, 1n, () => {}, Symbol('s')])('refuses what has no place', (value) => {
    expect(() => encodeCbor({ value })).toThrow(TypeError);
    expect(() => cborLength({ value })).toThrow(TypeError);
    expectSame({ after: 'it' });
  });
});

function expectSame(value: Readonly<Record<string, unknown>>): void {
  const bytes = encodeCbor(value);
  expect(Buffer.compare(bytes, encode(value, OPTIONS))).toBe(0);
  expect(cborLength(value)).toBe(bytes.length);
}

function randomMap(depth: number): Record<string, unknown> {
  const keys = KEYS.filter(() => Math.random() < 0.4);
  return Object.fromEntries(keys.map((key) => [key, randomValue(depth)]));
}

function randomValue(depth: number): unknown {
  const kind = Math.floor(Math.random() * (depth > 0 ? 8 : 6));
  if (kind === 0) return pick(EDGES);
  if (kind === 1) return pick(TEXTS);
  if (kind === 2) return Buffer.from(pick(TEXTS));
  if (kind === 3) return null;
  if (kind === 4) return Math.random() < 0.5;
  if (kind === 5) return undefined;
  if (kind === 6) return randomMap(depth - 1);
  return Array.from({ length: Math.floor(Math.random() * 4) }, () => randomValue(depth - 1) ?? null);
}

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to pick');
  return item;
}
