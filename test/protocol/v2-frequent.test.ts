import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor.ts';
import {
  decodeRequest,
  encodeRequest,
  REQUEST_OPCODES,
  type Request,
} from '../../src/protocol/v2/requests.ts';
import { ROUNDS, rounds, SEED } from './fuzzing.ts';
import { randomPlain } from './plain-cbor.ts';
import type { Random } from './random.ts';

const MAX_INT = Number.MAX_SAFE_INTEGER;

/** What came of it: a value, or a refusal's code and words. */
function outcome<Value>(act: () => Value): Value | string {
  try {
    return act();
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code} ${error.message} ${error.fatal}`;
    throw error;
  }
}

/** `encodeRequest` asks the schema; what `decodeRequest` accepts or says must be the same. */
function expectSame(type: 'send' | 'ack', fields: Record<string, unknown>): boolean {
  const opcode = type === 'send' ? REQUEST_OPCODES.send : REQUEST_OPCODES.ack;
  const frame = { version: 2, opcode, payload: Buffer.from(encodeCbor(fields)) };
  const decoded = outcome(() => decodeRequest(frame));
  const bySchema = outcome(() => encodeRequest({ ...fields, type } as unknown as Request));
  if (typeof decoded === 'string') expect(decoded).toBe(bySchema);
  else expect(encodeRequest(decoded)).toEqual(bySchema);
  return typeof decoded !== 'string';
}

function maybe(random: Random, odds: number, key: string, value: unknown): Record<string, unknown> {
  return random.below(odds) === 0 ? {} : { [key]: value };
}

function anySend(random: Random): Record<string, unknown> {
  const odd = () => (random.below(12) === 0 ? [randomPlain(random, 2)] : []);
  const good = () => random.text(30) || 'x';
  return {
    ...maybe(random, 20, 'id', random.pick([new Uint8Array(16), random.bytes(16), ...odd()])),
    ...maybe(random, 20, 'to', random.pick([random.username(), random.username().toUpperCase(), ...odd()])),
    ...maybe(random, 20, 'body', random.pick([good(), good(), ...odd()])),
    ...maybe(random, 2, 'contentType', random.pick(['text/plain', 'é', good().slice(0, 5), ...odd()])),
    ...maybe(random, 2, 'type', 'ack'),
    ...maybe(random, 2, 'more', randomPlain(random, 2)),
  };
}

function anyAck(random: Random): Record<string, unknown> {
  const int = () => random.pick([0, 1, 7, 2 ** 32, MAX_INT, random.below(10)]);
  const range = () => {
    const [a, b] = [int(), int()];
    return random.below(8) === 0 ? [a, b] : [Math.min(a, b), Math.max(a, b)];
  };
  const ranges = Array.from({ length: random.pick([1, 2, 5, 0]) }, range);
  const odd = () => (random.below(6) === 0 ? [randomPlain(random, 2), [[]], [[1]], [[1, 2, 3]], -1] : []);
  return {
    ...maybe(random, 2, 'upTo', random.pick([int(), ...odd()])),
    ...maybe(random, 3, 'ranges', random.pick([ranges, ranges, ...odd()])),
    ...maybe(random, 2, 'more', randomPlain(random, 2)),
  };
}

describe(`sends and acks against their schemas, seed ${SEED}`, () => {
  test.each([
    ['send', anySend],
    ['ack', anyAck],
  ] as const)('any %s', (type, any) => {
    let accepted = 0;
    rounds((random) => {
      if (expectSame(type, any(random))) accepted += 1;
    });
    if (ROUNDS >= 200) expect(Math.min(accepted, ROUNDS - accepted) / ROUNDS).toBeGreaterThan(0.03);
  });

  const send = { id: new Uint8Array(16), to: 'bob', body: 'x' };
  test.each<[boolean, Record<string, unknown>]>([
    [true, send],
    [true, { ...send, body: 'x'.repeat(65_280) }],
    [false, { ...send, body: 'x'.repeat(65_281) }],
    [true, { ...send, body: 'é'.repeat(32_640) }],
    [false, { ...send, body: `${'é'.repeat(32_640)}x` }],
    [true, { ...send, body: '漢'.repeat(21_760) }],
    [false, { ...send, body: '漢'.repeat(21_761) }],
    [false, { ...send, body: '' }],
    [true, { ...send, contentType: 'y'.repeat(100) }],
    [false, { ...send, contentType: 'y'.repeat(101) }],
    [true, { ...send, contentType: 'é'.repeat(50) }],
    [false, { ...send, contentType: 'é'.repeat(51) }],
    [false, { ...send, contentType: '' }],
    [false, { ...send, contentType: 'a\u0085b' }],
    [false, { ...send, contentType: null }],
    [false, { ...send, to: 'b b' }],
    [false, { ...send, to: 'b b', id: 1 }],
    [false, { ...send, to: 'b b', body: '' }],
    [false, { ...send, to: 'b b', contentType: 1 }],
    [false, { ...send, id: 1, body: 1 }],
    [false, {}],
  ])('a send, accepted: %s', (accepted, fields) => {
    expect(expectSame('send', fields)).toBe(accepted);
  });

  test.each<[boolean, Record<string, unknown>]>([
    [true, { upTo: 0 }],
    [true, { upTo: MAX_INT }],
    [false, { upTo: -1 }],
    [false, { upTo: null, ranges: [[1, 2]] }],
    [true, { upTo: 1, ranges: [[0, 0]] }],
    [true, { ranges: Array(256).fill([1, MAX_INT]) }],
    [false, { ranges: Array(257).fill([1, 1]) }],
    [false, { ranges: [] }],
    [false, { upTo: 1, ranges: [] }],
    [false, { ranges: [[2, 1]] }],
    [false, { ranges: [[1, 1], [1]] }],
    [false, { ranges: [[1, 1, 1]] }],
    [false, { ranges: [[-1, 1]] }],
    [false, { ranges: new Uint8Array(2) }],
    [false, {}],
  ])('an ack, accepted: %s', (accepted, fields) => {
    expect(expectSame('ack', fields)).toBe(accepted);
  });
});
