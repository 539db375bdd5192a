import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import {
  CborError,
  type CborLimits,
  decodeCbor,
  REPLY_LIMITS,
  REQUEST_LIMITS,
} from '../../src/protocol/v2/cbor-reader.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { SERVER_OPCODES } from '../../src/protocol/v2/replies.ts';
import { REQUEST_OPCODES } from '../../src/protocol/v2/requests.ts';
import { ID_A, REQUESTS, SERVER_FRAMES } from './v2-vectors.ts';

const SIZE = 65_536;

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** `head`, and then `unit` again and again up to 64 KiB. */
function filled(head: string, unit: string): Buffer {
  const start = hex(head);
  return Buffer.concat([start, Buffer.alloc(SIZE - start.length, hex(unit))]);
}

function cbor(value: Record<string, unknown>): Buffer {
  return Buffer.from(encodeCbor(value));
}

function numbered(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 0]));
}

function refusalOf(decode: () => unknown): ProtocolError {
  try {
    decode();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

// Each is the payload of a logout, which takes any map: what is refused here is refused for what it is made of.
const MALFORMED: [string, string][] = [
  ['no map but an array', '80'],
  ['no map but an integer', '00'],
  ['no map but null', 'f6'],
  ['no map but bytes', '40'],
  ['no map but text', '60'],
  ['a break alone', 'ff'],
  ['a map that is cut behind its head', 'a1'],
  ['a map that is cut behind a key', 'a1 6161'],
  ['a map that is cut in a key', 'a1 6261'],
  ['a map that is cut in an integer', 'a1 6161 19ff'],
  ['a byte behind the map', 'a0 00'],
  ['two maps', 'a0 a0'],
  ['a key twice', 'a2 6161 01 6161 02'],
  ['a key twice, further in', 'a1 6161 a2 6162 01 6162 01'],
  ['__proto__ twice', 'a2 695f5f70726f746f5f5f 01 695f5f70726f746f5f5f 02'],
  ['a key that is a number', 'a1 01 01'],
  ['a key that is bytes', 'a1 4161 01'],
  ['a key that is a map', 'a1 a0 01'],
  ['a key that is null', 'a1 f6 01'],
  ['a map without an end', 'bf ff'],
  ['an array without an end', 'a1 6161 9f ff'],
  ['text without an end', 'a1 6161 7f 6161 ff'],
  ['bytes without an end', 'a1 6161 5f 4161 ff'],
  ['a break within a map', 'a1 6161 ff'],
  ['a tag', 'a1 6161 c0 6161'],
  ['a long tag', 'a1 6161 d9d9f7 01'],
  ['a bignum', 'a1 6161 c2 4101'],
  ['undefined', 'a1 6161 f7'],
  ['a simple value', 'a1 6161 e0'],
  ['a simple value of two bytes', 'a1 6161 f8ff'],
  ['a half float', 'a1 6161 f93c00'],
  ['a float', 'a1 6161 fa3f800000'],
  ['a double', 'a1 6161 fb3ff0000000000000'],
  ['not a number', 'a1 6161 f97e00'],
  ['2^53', 'a1 6161 1b0020000000000000'],
  ['2^64 - 1', 'a1 6161 1bffffffffffffffff'],
  ['-2^53 - 1', 'a1 6161 3b0020000000000000'],
  ['an integer longer than it must be', 'a1 6161 1801'],
  ['a length longer than it must be', 'a1 6161 7801 61'],
  ['an array head longer than it must be', 'a1 6161 9801 01'],
  ['a map head longer than it must be', 'b801 6161 01'],
  ['a reserved head', 'a1 6161 1c'],
  ['text that is not UTF-8', 'a1 6161 61ff'],
  ['text in an overlong form', 'a1 6161 62c1a1'],
  ['text with a surrogate', 'a1 6161 63eda080'],
  ['text cut within a character', 'a1 6161 61c3'],
  ['a key that is not UTF-8', 'a1 61ff 01'],
  ['more depth than allowed', `a1 6161 ${'81'.repeat(REQUEST_LIMITS.depth)} 01`],
];

// The payloads are readable; what is wrong is what they say.
const WRONG: [string, number, Record<string, unknown>, string?][] = [
  ['a hello without a client', REQUEST_OPCODES.hello, {}],
  ['a hello with an empty client', REQUEST_OPCODES.hello, { client: '' }],
  ['a hello with 65 bytes of client', REQUEST_OPCODES.hello, { client: `${'é'.repeat(32)}x` }],
  ['a hello with an escape in the client', REQUEST_OPCODES.hello, { client: '\u001b[2J' }],
  ['a hello with 33 features', REQUEST_OPCODES.hello, { client: 'c', features: Array(33).fill('f') }],
  ['a hello with bytes for features', REQUEST_OPCODES.hello, { client: 'c', features: Buffer.from('f') }],
  ['a hello with one feature for a list', REQUEST_OPCODES.hello, { client: 'c', features: 'f' }],
  ['a create without a name', REQUEST_OPCODES.create, { password: 'p' }],
  ['a create with bytes for a name', REQUEST_OPCODES.create, { username: Buffer.from('alice') }],
  ['a create with an empty name', REQUEST_OPCODES.create, { username: '' }, 'INVALID_USERNAME'],
  ['a create with a bad name', REQUEST_OPCODES.create, { username: '../x' }, 'INVALID_USERNAME'],
  ['a create with an empty password', REQUEST_OPCODES.create, { username: 'a', password: '' }],
  [
    'a create with 1,025 bytes of password',
    REQUEST_OPCODES.create,
    { username: 'a', password: 'p'.repeat(1_025) },
  ],
  ['a create with a password of null', REQUEST_OPCODES.create, { username: 'a', password: null }],
  ['a create with an empty display name', REQUEST_OPCODES.create, { username: 'a', displayName: '' }],
  [
    'a login with both credentials',
    REQUEST_OPCODES.login,
    { username: 'a', password: 'p', token: Buffer.alloc(32) },
  ],
  ['a login with a short token', REQUEST_OPCODES.login, { username: 'a', token: Buffer.alloc(31) }],
  ['a login with a long token', REQUEST_OPCODES.login, { username: 'a', token: Buffer.alloc(33) }],
  ['a login with a token of text', REQUEST_OPCODES.login, { username: 'a', token: 't'.repeat(32) }],
  ['a login with takeover 1', REQUEST_OPCODES.login, { username: 'a', takeover: 1 }],
  ['a login with an unknown deliver', REQUEST_OPCODES.login, { username: 'a', deliver: 'some' }],
  ['a delete with a password that is a number', REQUEST_OPCODES.delete, { password: 1 }],
  ['a list with a pattern that no name can match', REQUEST_OPCODES.list, { pattern: '.' }],
  ['a list with a pattern that is too long', REQUEST_OPCODES.list, { pattern: '*'.repeat(65) }],
  ['a list behind no name', REQUEST_OPCODES.list, { after: '' }, 'INVALID_USERNAME'],
  ['a list of none', REQUEST_OPCODES.list, { limit: 0 }],
  ['a retrieve of -1', REQUEST_OPCODES.retrieve, { limit: -1 }],
  ['a retrieve of 1,001', REQUEST_OPCODES.retrieve, { limit: 1_001 }],
  ['a send with nothing', REQUEST_OPCODES.send, {}],
  ['a send without an id', REQUEST_OPCODES.send, { to: 'bob', body: 'x' }],
  ['a send with 15 bytes of id', REQUEST_OPCODES.send, { id: ID_A.subarray(1), to: 'bob', body: 'x' }],
  ['a send with 17 bytes of id', REQUEST_OPCODES.send, { id: Buffer.alloc(17), to: 'bob', body: 'x' }],
  ['a send with an id of text', REQUEST_OPCODES.send, { id: 'x'.repeat(16), to: 'bob', body: 'x' }],
  ['a send with an id of numbers', REQUEST_OPCODES.send, { id: Array(16).fill(1), to: 'bob', body: 'x' }],
  ['a send to several', REQUEST_OPCODES.send, { id: ID_A, to: ['bob'], body: 'x' }],
  ['a send to a bad name', REQUEST_OPCODES.send, { id: ID_A, to: 'b b', body: 'x' }, 'INVALID_USERNAME'],
  ['a send without a body', REQUEST_OPCODES.send, { id: ID_A, to: 'bob' }],
  ['a send with an empty body', REQUEST_OPCODES.send, { id: ID_A, to: 'bob', body: '' }],
  ['a send with bytes for a body', REQUEST_OPCODES.send, { id: ID_A, to: 'bob', body: Buffer.from('x') }],
  ['a send with too long a body', REQUEST_OPCODES.send, { id: ID_A, to: 'bob', body: 'x'.repeat(65_281) }],
  [
    'a send with a line break in its type',
    REQUEST_OPCODES.send,
    { id: ID_A, to: 'bob', body: 'x', contentType: 'a\nb' },
  ],
  ['an empty ack', REQUEST_OPCODES.ack, {}],
  ['an ack up to -1', REQUEST_OPCODES.ack, { upTo: -1 }],
  ['an ack up to text', REQUEST_OPCODES.ack, { upTo: '1' }],
  ['an ack of no ranges', REQUEST_OPCODES.ack, { ranges: [] }],
  ['an ack of an empty range', REQUEST_OPCODES.ack, { ranges: [[]] }],
  ['an ack of a range of three', REQUEST_OPCODES.ack, { ranges: [[1, 2, 3]] }],
  ['an ack of a range backwards', REQUEST_OPCODES.ack, { ranges: [[2, 1]] }],
  ['an ack of 257 ranges', REQUEST_OPCODES.ack, { ranges: Array(257).fill([1, 2]) }],
  ['a status without names', REQUEST_OPCODES.status, {}],
  ['a status of 201 names', REQUEST_OPCODES.status, { names: Array(201).fill('a') }],
  ['a status of a bad name', REQUEST_OPCODES.status, { names: ['a', '-'] }, 'INVALID_USERNAME'],
  ['a password without a new one', REQUEST_OPCODES.password, { old: 'p' }],
  ['an empty new password', REQUEST_OPCODES.password, { old: 'p', new: '' }],
  ['receipts without receipts', REQUEST_OPCODES.receipts, {}],
  ['501 receipts', REQUEST_OPCODES.receipts, { receipts: Array(501).fill(Buffer.alloc(1)) }],
  ['an empty receipt', REQUEST_OPCODES.receipts, { receipts: [Buffer.alloc(0)] }],
  ['a receipt of 65 bytes', REQUEST_OPCODES.receipts, { receipts: [Buffer.alloc(65)] }],
  ['a block of nobody', REQUEST_OPCODES.block, { blocked: true }],
  ['a block that says neither yes nor no', REQUEST_OPCODES.block, { name: 'bob' }],
];

describe('a server refuses', () => {
  test.each(MALFORMED)('%s', (_name, bytes) => {
    const payload = hex(bytes);
    expect(() => v2.decodeRequest({ version: 2, opcode: REQUEST_OPCODES.logout, payload })).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'BAD_REQUEST', fatal: false }),
    );
  });

  test.each(WRONG)('%s', (_name, opcode, value, code = 'BAD_REQUEST') => {
    expect(() => v2.decodeRequest({ version: 2, opcode, payload: cbor(value) })).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code, fatal: false }),
    );
  });

  test('every opcode that is no request', () => {
    const requests = Object.values(REQUEST_OPCODES);
    for (let opcode = 0; opcode < 256; opcode++) {
      if (requests.some((known) => known === opcode)) continue;
      const frame = { version: 2, opcode, payload: hex('a0') };
      expect(refusalOf(() => v2.decodeRequest(frame))).toMatchObject({ code: 'BAD_REQUEST', fatal: false });
    }
  });

  test('without repeating what it was sent', () => {
    const name = 'x'.repeat(30_000);
    const twice = Buffer.concat([
      hex('a2'),
      cbor({ [name]: 0 }).subarray(1, -1),
      hex('00'),
      cbor({ [name]: 0 }).subarray(1),
    ]);
    const payloads = [twice, cbor({ username: name }), cbor({ username: 'a', deliver: name }), hex('61ff')];
    for (const payload of payloads) {
      const error = refusalOf(() => v2.decodeRequest({ version: 2, opcode: REQUEST_OPCODES.login, payload }));
      expect(error.message).not.toContain('xxx');
      expect(error.message.length).toBeLessThan(200);
      expect(error.cause).toBeUndefined();
    }
  });
});

describe('a client refuses', () => {
  test.each(MALFORMED)('%s', (_name, bytes) => {
    const payload = hex(bytes);
    expect(() => v2.decodeServerFrame({ version: 2, opcode: SERVER_OPCODES['logged-out'], payload })).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'BAD_FRAME' }),
    );
  });

  const user = { seq: 1, verified: true, id: ID_A, from: 'bob', fromIncarnation: ID_A, body: 'x', sentAt: 1 };
  test.each<[string, number, Record<string, unknown>]>([
    ['a request', REQUEST_OPCODES.ping, {}],
    ['a pong without a time', SERVER_OPCODES.pong, {}],
    ['a user without an incarnation', SERVER_OPCODES.message, { ...user, fromIncarnation: undefined }],
    ['a user without an id', SERVER_OPCODES.message, { ...user, id: undefined }],
    ['a user whose name is none', SERVER_OPCODES.message, { ...user, from: 'b b' }],
    ['a user that is not verified', SERVER_OPCODES.message, { ...user, verified: false }],
    [
      'a message that does not say whether it is verified',
      SERVER_OPCODES.message,
      { ...user, verified: undefined },
    ],
    [
      'an external message that is verified',
      SERVER_OPCODES.message,
      { ...user, from: undefined, external: 'bob' },
    ],
    ['a token of text', SERVER_OPCODES['password-changed'], { token: 'x'.repeat(32), tokenExpiresAt: 1 }],
    ['an unknown fate', SERVER_OPCODES.fates, { fates: ['eaten'] }],
    ['a page of one message too many', SERVER_OPCODES.listed, { names: Array(1_001).fill('a'), more: true }],
  ])('%s', (_name, opcode, value) => {
    expect(() => v2.decodeServerFrame({ version: 2, opcode, payload: cbor(value) })).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'BAD_FRAME' }),
    );
  });
});

// 64 KiB each; `items` is how much of it a server may look at.
const COSTLY: [string, Buffer, number][] = [
  ['arrays in arrays', filled('a1 6161', '81'), 2 + REQUEST_LIMITS.depth],
  ['maps in maps', filled('', 'a16161'), 2 * (1 + REQUEST_LIMITS.depth)],
  ['an array that promises 2^32 items', filled('a1 6161 9affffffff', '00'), 3],
  ['an array that promises 2^53 items', filled('a1 6161 9b001fffffffffffff', '00'), 3],
  ['a map that promises 2^53 pairs', filled('bb001fffffffffffff', '6161'), 1],
  ['text that promises 4 GiB', filled('a1 6161 7affffffff', '61'), 3],
  ['bytes that promise 2^53', filled('a1 6161 5b001fffffffffffff', '61'), 3],
  ['an array of 65,000 integers', filled('a1 6161 99fdf0', '00'), REQUEST_LIMITS.items],
  ['an array of 65,000 empty arrays', filled('a1 6161 99fdf0', '80'), REQUEST_LIMITS.items],
  ['an array of 32,000 texts', filled('a1 6161 997d00', '6161'), REQUEST_LIMITS.items],
  ['an array of 16,000 arrays of arrays', filled('a1 6161 993e80', '81818000'), REQUEST_LIMITS.items],
  ['a map of 5,000 keys', cbor(numbered(5_000)), 1],
  ['as many maps as fit, full of keys', filled('a1 6161 98ff', 'b840'), 400],
  ['a text that is not UTF-8 at its end', filled('a1 6161 79fff8', 'c3'), 3],
  ['a text of byte order marks', filled('a1 6161 79fff9', 'efbbbf'), 3],
  ['nothing but zeroes', Buffer.alloc(SIZE), 1],
  ['nothing but ones', Buffer.alloc(SIZE, 0xff), 1],
  [
    'an array of 16,000 short texts that are not ASCII',
    filled('a1 6161 993e80', '62c3a9'),
    REQUEST_LIMITS.items,
  ],
  ['wrong receipts', cbor({ receipts: Array(500).fill(0) }), 510],
  ['as many wrong names as can be read', cbor({ names: Array(1_000).fill(0) }), 1_010],
];

describe('hostile payloads cost little', () => {
  const OPCODES = [
    REQUEST_OPCODES.logout,
    REQUEST_OPCODES.status,
    REQUEST_OPCODES.receipts,
    REQUEST_OPCODES.ack,
  ];

  test.each(COSTLY)('%s: few items are looked at', (_name, payload, items) => {
    expect(payload.length).toBeLessThanOrEqual(SIZE);
    const verdict = verdictOn(payload, REQUEST_LIMITS);
    // Who would look at more items than these would stop at this limit, and say so.
    expect(verdictOn(payload, { ...REQUEST_LIMITS, items })).toBe(verdict);
    expect(verdictOn(payload, { ...REQUEST_LIMITS, items: 0 })).not.toBe(verdict);
    for (const opcode of OPCODES) ignoreRefusal(() => v2.decodeRequest({ version: 2, opcode, payload }));
  });

  test('and no more than 1 MiB of memory each', () => {
    for (const [name, payload] of COSTLY) {
      for (const opcode of OPCODES) {
        const decode = () => v2.decodeRequest({ version: 2, opcode, payload });
        for (let warm = 0; warm < 3; warm++) ignoreRefusal(decode);
        const before = process.memoryUsage();
        for (let times = 0; times < 8; times++) ignoreRefusal(decode);
        const after = process.memoryUsage();
        // A collection in between can only make it less.
        const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
        expect(grown / 8, `${name}, opcode ${opcode}`).toBeLessThan(1_048_576);
      }
    }
  });

  test('a reply of 1 MiB is looked at no further than its limit', () => {
    const payload = Buffer.concat([hex('a1 6161 9a000fff00'), Buffer.alloc(0xfff00)]);
    const error = refusalOf(() =>
      v2.decodeServerFrame({ version: 2, opcode: SERVER_OPCODES['logged-out'], payload }),
    );
    expect(error.code).toBe('BAD_FRAME');
    expect(error.message).toContain(`more than ${REPLY_LIMITS.items} items`);
  });
});

/** What the reader says of a payload: what is wrong with it, or nothing. */
function verdictOn(payload: Buffer, limits: CborLimits): string {
  try {
    decodeCbor(payload, limits);
    return '';
  } catch (error) {
    if (error instanceof CborError) return error.message;
    throw error;
  }
}

function ignoreRefusal(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'BAD_REQUEST', fatal: false });
  }
}

describe('whatever stands in a field', () => {
  /** What a language makes something else of, where it asks for a text or a number. */
  const ODD: readonly unknown[] = [
    { toString: 'x' },
    { toString: null, valueOf: null },
    { __proto__: null, constructor: 1 },
    [{ toString: 1 }],
    [[[]]],
    { length: -1 },
    '__proto__',
    -1,
    true,
    null,
    new Uint8Array(3),
  ];

  test.each([
    ['request', REQUESTS, (frame: Frame) => v2.decodeRequest(frame)],
    ['server frame', SERVER_FRAMES, (frame: Frame) => v2.decodeServerFrame(frame)],
  ] as const)('of a %s, it is read or refused', (_, vectors, decode) => {
    let refused = 0;
    for (const [name, value, bytes] of vectors) {
      const frame = hex(bytes);
      const [version, opcode] = [frame[0] ?? 0, frame[5] ?? 0];
      const { type: __, ...fields } = value;
      for (const key of [...Object.keys(fields), 'verified', 'type', '__proto__']) {
        for (const odd of ODD) {
          const payload = cbor(Object.defineProperty({ ...fields }, key, { value: odd, enumerable: true }));
          try {
            decode({ version, opcode, payload });
          } catch (error) {
            expect(error, `${name}: ${key}: ${JSON.stringify(odd)}`).toBeInstanceOf(ProtocolError);
            refused += 1;
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(vectors.length);
  });
});
