import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  CborError,
  type CborLimits,
  decodeCbor,
  REPLY_LIMITS,
  REQUEST_LIMITS,
} from '../../src/protocol/v2/cbor-reader.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import { mutate, ROUNDS, rounds, SEED } from '../fuzz/fuzzing.ts';
import { decodeByCborg } from './cborg-decoder.ts';
import { randomMap, writePlain } from './plain-cbor.ts';
import type { Random } from './random.ts';

/** What our reader makes of a payload; null where it refuses it. */
function decoded(payload: Buffer, limits: CborLimits): Readonly<Record<string, unknown>> | null {
  try {
    return decodeCbor(payload, limits);
  } catch (error) {
    if (!(error instanceof CborError) || error.message.length > 80) throw error;
    return null;
  }
}

/** Both readers refuse, or both make the same of it: kinds of bytes, prototypes and odd keys included. */
function expectSame(payload: Buffer, limits = REQUEST_LIMITS): boolean {
  const ours = decoded(payload, limits);
  const theirs = decodeByCborg(payload, limits);
  if (ours === null && theirs === null) return false;
  // vitest's toStrictEqual asks values for their `constructor`, which may be a key here.
  if (!isDeepStrictEqual(ours, theirs))
    expect({ payload: payload.toString('hex'), ours }).toEqual({ theirs });
  return true;
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** A payload with one key, `a`, and these bytes for its value. */
function valued(...bytes: number[]): Buffer {
  return Buffer.of(0xa1, 0x61, 0x61, ...bytes);
}

function randomPayload(random: Random): Buffer {
  const map = randomMap(random, random.below(10));
  return writePlain(random, map, random.pick([0, 10, 30, 100]));
}

describe(`the CBOR reader and cborg, seed ${SEED}`, () => {
  test('read the same from what is valid', () => {
    rounds((random) => {
      const payload = writePlain(random, randomMap(random, 6));
      expect(decodeByCborg(payload, REQUEST_LIMITS)).not.toBeNull();
      expect(expectSame(payload)).toBe(true);
    });
  });

  test('accept the same of what is spoilt', () => {
    const verdicts = { true: 0, false: 0 };
    rounds((random) => {
      for (let times = 0; times < 5; times++) {
        verdicts[`${expectSame(mutate(random, randomPayload(random)))}`] += 1;
      }
    });
    const share = verdicts.true / (verdicts.true + verdicts.false);
    if (ROUNDS >= 200) expect(Math.min(share, 1 - share)).toBeGreaterThan(0.03);
  });

  test('accept the same of any bytes', () => {
    rounds((random) => {
      for (let times = 0; times < 10; times++) {
        const bytes = random.bytes(random.below(random.pick([4, 12, 60])));
        expectSame(bytes);
        expectSame(Buffer.concat([hex('a16161'), bytes]));
        expectSame(Buffer.concat([hex('a16161 84'), bytes]));
        expectSame(Buffer.concat([hex('a2'), bytes]));
      }
    });
  });

  test('count alike, whatever the limits', () => {
    let accepted = 0;
    rounds((random) => {
      const limits = { depth: random.below(5), items: random.below(40), keys: random.below(5) };
      const payload = writePlain(random, randomMap(random, random.below(5)));
      if (expectSame(payload, limits)) accepted += 1;
    });
    if (ROUNDS >= 200) expect(accepted / ROUNDS).toBeGreaterThan(0.03);
    if (ROUNDS >= 200) expect(accepted / ROUNDS).toBeLessThan(0.97);
  });

  test('tell doubled keys alike, however alike keys are', () => {
    rounds((random) => {
      const key = () => Buffer.from(`x${random.pick(['ab', 'ba', 'aa', 'ä', '\u0000\u0000'])}y`);
      const entries = Array.from({ length: 1 + random.below(4) }, () => {
        const bytes = key();
        return Buffer.concat([Buffer.of(0x60 | bytes.length), bytes, Buffer.of(random.below(24))]);
      });
      expectSame(Buffer.concat([Buffer.of(0xa0 | entries.length), ...entries]));
    });
  });

  test('take the same heads for valid, all of them', () => {
    let accepted = 0;
    const nexts = hex('00 01 17 18 19 1b 1f 20 3f 40 60 7f 80 a0 c2 f4 f6 f7 ff');
    for (let head = 0; head < 256; head++) {
      for (let more = 2; more < 20; more++) {
        for (const byte of [0, 0x61]) if (expectSame(valued(head, ...Array(more).fill(byte)))) accepted += 1;
      }
      for (const payload of [
        Buffer.of(head),
        valued(head),
        ...Array.from(nexts, (next) => valued(head, next)),
      ]) {
        if (expectSame(payload)) accepted += 1;
      }
    }
    expect(accepted).toBeGreaterThan(100);
  });

  test('take the same texts for UTF-8', () => {
    const edges = hex('007f80818f909fa0bfc0c1c2dfe0e1ecedeeeff0f1f3f4f5ff');
    let accepted = 0;
    for (const a of edges) {
      for (const b of edges) {
        for (const c of edges) {
          if (expectSame(valued(0x63, a, b, c))) accepted += 1;
          if (expectSame(Buffer.of(0xa1, 0x63, a, b, c, 0))) accepted += 1;
          if (a < 0xf0) continue;
          for (const d of hex('7f80bfc0')) if (expectSame(valued(0x64, a, b, c, d))) accepted += 1;
        }
      }
    }
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('the CBOR reader', () => {
  test.each([
    '00',
    '17',
    '1818',
    '18ff',
    '190100',
    '19ffff',
    '1a00010000',
    '1affffffff',
    '1b0000000100000000',
    '1b001fffffffffffff',
    '3b001ffffffffffffe',
  ])('reads the integer %s and refuses one less in the same form', (text) => {
    const bytes = hex(text);
    expect(expectSame(valued(...bytes))).toBe(true);
    if (text.length === 2 || text.includes('ff')) return;
    for (let index = bytes.length - 1; index > 0; index--) {
      bytes.writeUInt8((bytes.readUInt8(index) + 255) % 256, index);
      if (bytes.readUInt8(index) !== 255) break;
    }
    expect(expectSame(valued(...bytes))).toBe(false);
  });

  test.each(['1b0020000000000000', '3b001fffffffffffff', '1bffffffffffffffff', '1b7fffffffffffffff'])(
    'refuses the integer %s',
    (text) => {
      expect(expectSame(valued(...hex(text)))).toBe(false);
    },
  );

  test.each([0, 1, 23, 24, 64, 65, 255, 256, 70_000])('copies %d bytes', (length) => {
    const bytes = new Uint8Array(length).fill(7);
    const payload = Buffer.from(encodeCbor({ a: bytes, b: 'x'.repeat(length) }));
    const map = decodeCbor(payload, REQUEST_LIMITS);
    payload.fill(0);
    expect(map).toStrictEqual({ a: bytes, b: 'x'.repeat(length) });
  });

  test('keeps no payload alive by what it has read', () => {
    const payload = Buffer.from(encodeCbor({ a: new Uint8Array(16), b: new Uint8Array(100) }));
    for (const value of Object.values(decodeCbor(payload, REQUEST_LIMITS))) {
      expect(value).toBeInstanceOf(Uint8Array);
      if (value instanceof Uint8Array) expect(value.buffer.byteLength).toBe(value.length);
    }
  });

  test('reads any Uint8Array, wherever it lies', () => {
    const bytes = encodeCbor({ a: 'é', b: [1] });
    const within = new Uint8Array(bytes.length + 9);
    within.set(bytes, 5);
    expect(decodeCbor(within.subarray(5, 5 + bytes.length), REQUEST_LIMITS)).toEqual({ a: 'é', b: [1] });
  });

  test('makes plain maps, whatever their keys are called', () => {
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '', '0', '1e3', '-1'];
    for (const value of [0, null, {}, { x: 1 }, []]) {
      const payload = Buffer.from(encodeCbor(Object.fromEntries(keys.map((key) => [key, value]))));
      expect(expectSame(payload)).toBe(true);
      const map = decodeCbor(payload, REQUEST_LIMITS);
      expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
      expect(Object.keys(map).sort()).toEqual([...keys].sort());
      for (const key of keys) expect(Object.getOwnPropertyDescriptor(map, key)?.value).toEqual(value);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test.each(['__proto__', 'constructor', 'a'])('refuses %s twice, whatever it holds', (key) => {
    for (const value of ['00', 'f6', 'a0']) {
      const entry = Buffer.concat([Buffer.of(0x60 | key.length), Buffer.from(key), hex(value)]);
      expect(expectSame(Buffer.concat([hex('a2'), entry, entry]))).toBe(false);
    }
  });

  test('does not take a byte for a character of a key that it has read before', () => {
    for (let code = 0x80; code < 0x100; code++) {
      for (let other = 0x20; other < 0x7f; other++) {
        const key = String.fromCharCode(code, other);
        const map = decoded(Buffer.concat([hex('a163'), Buffer.from(key), hex('00')]), REQUEST_LIMITS);
        if (map?.[key] !== 0 || decoded(Buffer.of(0xa1, 0x62, code, other, 0), REQUEST_LIMITS) !== null) {
          expect(key).toBe('told from its code');
        }
      }
    }
  });

  test('leaves text as it is: byte order marks, replacement characters, zeroes', () => {
    for (const text of ['\ufeff', '\ufeff\ufeffa', '\ufffd', 'é\ufffd', '\u0000', 'a\u0000', '\u{10ffff}']) {
      const payload = Buffer.from(encodeCbor({ [text]: text }));
      expect(decodeCbor(payload, REQUEST_LIMITS)).toStrictEqual({ [text]: text });
    }
  });

  test('says in a few words what is wrong, the same whatever the bytes are', () => {
    const because = (bytes: string) => {
      try {
        decodeCbor(hex(bytes), { depth: 2, items: 6, keys: 2 });
      } catch (error) {
        return String(error);
      }
      return '';
    };
    expect(because('')).toBe('CborError: it ends within an item');
    expect(because('80')).toBe('CborError: the payload is not a map');
    expect(because('a000')).toBe('CborError: something stands behind the map');
    expect(because('a3')).toBe('CborError: a map has more than 2 keys');
    expect(because('a1616184')).toBe('CborError: an array or map ends before its last item');
    expect(because('a16161818100')).toBe('CborError: it nests deeper than 2');
    expect(because('a161618400000000')).toBe('CborError: it has more than 6 items');
    expect(because('a2616100616100')).toBe('CborError: a map has the same key twice');
    expect(because('a10000')).toBe('CborError: a key is not text');
    expect(because('a1616161ff')).toBe('CborError: a text is not valid UTF-8');
    expect(because('a161619f')).toBe('CborError: a length is indefinite or reserved');
    expect(because('a161611800')).toBe('CborError: an integer or a length is not in its shortest form');
    expect(because('a161611bffffffffffffffff')).toBe('CborError: an integer is too large');
    expect(because('a16161f93c00')).toBe('CborError: floats are not used here');
    expect(because('a16161c000')).toBe('CborError: tags are not used here');
    expect(because('a16161f7')).toBe('CborError: a simple value is not true, false or null');
  });

  test('reads after a refusal as before it', () => {
    expect(decoded(hex('a1616182'), REQUEST_LIMITS)).toBeNull();
    expect(decoded(hex('a1616181f5'), REPLY_LIMITS)).toEqual({ a: [true] });
  });
});
