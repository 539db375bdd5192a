/*
 * Protocol 2's CBOR by the plainest code there is, for the codec to be compared with: a reader that follows the
 * protocol's description word by word, and a writer that can write maps in any order.
 */
import type { CborLimits } from '../../src/protocol/v2/cbor-reader.ts';
import type { Random } from './random.ts';

export type Plain =
  | number
  | boolean
  | null
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** Thrown for what is not a payload. */
export class NotPlain extends Error {}

/** The payload's map. @throws NotPlain */
export function readPlain(bytes: Buffer, limits: CborLimits): Plain {
  let at = 0;
  let items = 0;

  function demand(condition: boolean): asserts condition {
    if (!condition) throw new NotPlain();
  }

  function head(): { major: number; value: number; info: number } {
    demand(at < bytes.length);
    const first = bytes.readUInt8(at);
    const info = first & 0x1f;
    at += 1;
    if (info < 24) return { major: first >> 5, value: info, info };
    demand(info <= 27);
    const width = 2 ** (info - 24);
    demand(at + width <= bytes.length);
    const value = BigInt(`0x${bytes.subarray(at, at + width).toString('hex')}`);
    at += width;
    // Shortest form; a float's bits are no number, but floats are refused anyway.
    const least = [24n, 0x100n, 0x10000n, 0x100000000n][info - 24] ?? 0n;
    demand(value >= least && value <= BigInt(Number.MAX_SAFE_INTEGER));
    return { major: first >> 5, value: Number(value), info };
  }

  function bytesOf(length: number): Buffer {
    demand(at + length <= bytes.length);
    at += length;
    return bytes.subarray(at - length, at);
  }

  function textOf(length: number): string {
    const raw = bytesOf(length);
    const text = raw.toString('utf8');
    demand(Buffer.from(text, 'utf8').equals(raw));
    return text;
  }

  function mapOf(keys: number, depth: number): Plain {
    demand(keys <= limits.keys && depth <= limits.depth);
    const entries = new Map<string, Plain>();
    for (let key = 0; key < keys; key++) {
      const name = item(depth + 1);
      demand(typeof name === 'string' && !entries.has(name));
      entries.set(name, item(depth + 1));
    }
    return Object.fromEntries(entries);
  }

  function item(depth: number): Plain {
    items += 1;
    demand(items <= limits.items);
    const { major, value, info } = head();
    switch (major) {
      case 0:
        return value;
      case 1:
        demand(value < Number.MAX_SAFE_INTEGER);
        return -1 - value;
      case 2:
        return new Uint8Array(bytesOf(value));
      case 3:
        return textOf(value);
      case 4:
        demand(value === 0 || (depth <= limits.depth && value <= bytes.length - at));
        return Array.from({ length: value }, () => item(depth + 1));
      case 5:
        return value === 0 ? {} : mapOf(value, depth);
      default:
        demand(major === 7 && info >= 20 && info <= 22);
        return [false, true, null][info - 20] ?? null;
    }
  }

  const value = item(1);
  demand(at === bytes.length);
  demand(
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array),
  );
  return value;
}

/** What a payload may not hold, and what it may only just hold. */
const ODDITIES = [
  'f7',
  'f93c00',
  'fb3ff0000000000000',
  'c06161',
  '1801',
  '7801',
  '9800',
  '9fff',
  'e0',
  'ff',
  '1c',
]
  .concat(['1b0020000000000000', '1b001fffffffffffff', '3b001fffffffffffff', '3b001ffffffffffffe'])
  .concat(['61ff', '62c1a1', '63eda080', '63efbbbf', '66efbbbfefbbbf', '9affffffff', 'bb001fffffffffffff'])
  .concat(['a2616101616102', 'a2616101616202', 'a10101', 'a1f601'])
  .concat([5, 6, 7, 8, 9].flatMap((depth) => [`${'81'.repeat(depth)}00`, `${'a16161'.repeat(depth)}00`]))
  .concat([64, 65].map((keys) => `b8${keys.toString(16)}${many(keys, (key) => `62${hex(key + 0x3030)}00`)}`))
  .concat([1_000, 1_030].map((items) => `99${hex(items)}${'00'.repeat(items)}`));

function many(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join('');
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}

/**
 * `value` as CBOR, the keys of its maps in a random order.
 * @param oddEvery one item in so many is written as something odd; 0 for none
 */
export function writePlain(random: Random, value: Plain, oddEvery = 0): Buffer {
  if (oddEvery > 0 && random.below(oddEvery) === 0) return Buffer.from(random.pick(ODDITIES), 'hex');
  if (typeof value === 'number') return value < 0 ? headOf(1, -1 - value) : headOf(0, value);
  if (typeof value === 'boolean') return Buffer.of(value ? 0xf5 : 0xf4);
  if (value === null) return Buffer.of(0xf6);
  if (typeof value === 'string')
    return Buffer.concat([headOf(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([headOf(2, value.length), value]);
  if (isList(value)) {
    return Buffer.concat([
      headOf(4, value.length),
      ...value.map((item) => writePlain(random, item, oddEvery)),
    ]);
  }
  const entries = Object.entries(value).map(([key, item]) =>
    Buffer.concat([writePlain(random, key), writePlain(random, item, oddEvery)]),
  );
  for (let index = entries.length - 1; index > 0; index--) {
    const [entry] = entries.splice(random.below(index + 1), 1);
    if (entry !== undefined) entries.push(entry);
  }
  return Buffer.concat([headOf(5, entries.length), ...entries]);
}

/** Any value that the protocol's CBOR has. */
export function randomPlain(random: Random, depth: number): Plain {
  const kind = random.below(depth > 0 ? 8 : 6);
  const number = Math.floor(random.fraction() * 2 ** random.below(54));
  if (kind === 0) return number;
  if (kind === 1) return -number;
  if (kind === 2) return random.pick([true, false, null]);
  if (kind === 3) return new Uint8Array(random.bytes(random.below(40)));
  if (kind <= 5) return random.text(12);
  if (kind === 6) return Array.from({ length: random.below(5) }, () => randomPlain(random, depth - 1));
  return randomMap(random, depth - 1);
}

export function randomMap(random: Random, depth: number): { [key: string]: Plain } {
  const keys = Array.from({ length: random.below(6) }, () => random.text(4));
  return Object.fromEntries(keys.map((key) => [key, randomPlain(random, depth)]));
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}

function headOf(major: number, value: number): Buffer {
  if (value < 24) return Buffer.of((major << 5) | value);
  const width = [1, 2, 4, 8].find((candidate) => value < 2 ** (8 * candidate)) ?? 8;
  const head = Buffer.alloc(1 + width);
  head.writeUInt8((major << 5) | (24 + Math.log2(width)));
  if (width === 8) head.writeBigUInt64BE(BigInt(value), 1);
  else head.writeUIntBE(value, 1, width);
  return head;
}
