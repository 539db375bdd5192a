import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeReceipt, encodeReceipt, type ReceiptContent } from '../../src/frontend/receipt.ts';
import { putUuid, uuidBytes, uuidText } from '../../src/frontend/uuid.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const SAMPLE = '01234567-89ab-cdef-0123-456789abcdef';

describe('a UUID', () => {
  it('becomes its bytes and comes back, in lower case', () => {
    for (let round = 0; round < 1_000; round++) {
      const text = randomUUID();
      const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
      expect(uuidBytes(text)).toEqual(bytes);
      expect(uuidBytes(text.toUpperCase())).toEqual(bytes);
      expect(uuidText(bytes)).toBe(text);
      expect(uuidText(new Uint8Array(bytes))).toBe(text);
    }
  });

  it('is no other text, whichever character is another', () => {
    const others = [
      '0',
      'f',
      'F',
      'g',
      'G',
      '/',
      ':',
      '@',
      '`',
      '-',
      ' ',
      '\n',
      '\u0000',
      '\u0130',
      '\uff11',
    ];
    for (let index = 0; index < SAMPLE.length; index++) {
      for (const other of others) {
        const text = SAMPLE.slice(0, index) + other + SAMPLE.slice(index + 1);
        expect(uuidBytes(text) !== null, text).toBe(UUID.test(text));
      }
    }
    for (let code = 0; code < 0x1_0000; code++) {
      const text = `${String.fromCharCode(code)}${SAMPLE.slice(1)}`;
      if ((uuidBytes(text) !== null) !== UUID.test(text)) expect(text).toBe('told right');
    }
    for (const text of ['', SAMPLE.slice(1), `${SAMPLE}0`, `${SAMPLE}\n`, ` ${SAMPLE}`, '-'.repeat(36)]) {
      expect(uuidBytes(text)).toBeNull();
    }
  });

  it('is written where it is wanted, and nowhere else', () => {
    const target = Buffer.alloc(20, 0xee);
    expect(putUuid(target, 2, SAMPLE)).toBe(true);
    expect(target.toString('hex')).toBe(`eeee${SAMPLE.replaceAll('-', '')}eeee`);
    expect(putUuid(target, 2, SAMPLE.slice(1))).toBe(false);
  });
});

/** The receipt by its description. */
function plainly(owner: string, { name, inbox, offset }: ReceiptContent): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(offset));
  const rest = Buffer.concat([Buffer.from(inbox.replaceAll('-', ''), 'hex'), place, Buffer.from(name)]);
  const tag = createHash('sha256').update(owner).update(rest).digest().subarray(0, 6);
  return Buffer.concat([Buffer.of(1), tag, rest]);
}

describe('a receipt', () => {
  it('is what its description says, byte by byte', () => {
    const offsets = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 48 + 5, Number.MAX_SAFE_INTEGER];
    for (let round = 0; round < 200; round++) {
      for (const offset of offsets) {
        const [owner, inbox] = [randomUUID(), randomUUID()];
        const content = { name: 'b'.repeat(1 + (round % 32)), inbox, offset };
        const receipt = encodeReceipt(owner, content);
        expect(receipt).toEqual(plainly(owner, content));
        expect(decodeReceipt(owner, receipt)).toEqual(content);
        expect(decodeReceipt(owner, new Uint8Array(receipt))).toEqual(content);
      }
    }
  });

  it('is of nobody but its owner, whoever that is', () => {
    const content = { name: 'bob', inbox: SAMPLE, offset: 1 };
    for (const owner of ['', 'me', 'é', 'x'.repeat(100)]) {
      expect(encodeReceipt(owner, content)).toEqual(plainly(owner, content));
      expect(decodeReceipt(`${owner}x`, encodeReceipt(owner, content))).toBeNull();
    }
  });

  it('is not made for what is no place', () => {
    expect(() => encodeReceipt('me', { name: 'bob', inbox: 'life', offset: 1 })).toThrow(/is no UUID/);
    const content = { name: 'bob', inbox: SAMPLE };
    for (const offset of [-1, 1.5, Number.NaN]) {
      expect(() => encodeReceipt('me', { ...content, offset })).toThrow(RangeError);
    }
  });

  it('is nothing at all where its owner could have tagged what it says and no frontend did', () => {
    const forged = (name: string, offset: bigint) => {
      const rest = Buffer.concat([randomBytes(16), Buffer.alloc(8), Buffer.from(name, 'latin1')]);
      rest.writeBigUInt64BE(offset, 16);
      const tag = createHash('sha256').update('me').update(rest).digest().subarray(0, 6);
      return Buffer.concat([Buffer.of(1), tag, rest]);
    };
    expect(decodeReceipt('me', forged('bob', 2n ** 53n - 1n))).toMatchObject({
      name: 'bob',
      offset: 2 ** 53 - 1,
    });
    expect(decodeReceipt('me', forged('bob', 2n ** 53n))).toBeNull();
    expect(decodeReceipt('me', forged('bob', 2n ** 64n - 1n))).toBeNull();
    for (const name of ['Bob', 'b b', '\xe9', '']) expect(decodeReceipt('me', forged(name, 1n))).toBeNull();
  });
});
