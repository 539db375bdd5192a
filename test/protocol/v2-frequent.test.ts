import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import {
  decodeRequest,
  encodeRequest,
  REQUEST_OPCODES,
  type Request,
} from '../../src/protocol/v2/requests.ts';

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

describe('sends and acks against their schemas', () => {
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
