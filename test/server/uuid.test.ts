import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Accepted } from '../../src/core/inboxes.ts';
import { decodeReceipt, encodeReceipt } from '../../src/server/receipts/receipt.ts';
import { putUuid, uuidBytes, uuidText } from '../../src/util/uuid.ts';

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

interface Plain {
  readonly name: string;
  readonly incarnation: string;
  readonly accepted: Accepted;
}

/** A number's lowest bytes. */
function low(value: number, bytes: number): Buffer {
  const whole = Buffer.alloc(8);
  whole.writeBigUInt64BE(BigInt(value));
  return whole.subarray(8 - bytes);
}

function tagged(format: number, owner: string, rest: Buffer): Buffer {
  const tag = createHash('sha256').update(owner).update(rest).digest().subarray(0, 6);
  return Buffer.concat([Buffer.of(format), tag, rest]);
}

/** The receipt by its description. */
function plainly(owner: string, { name, incarnation, accepted }: Plain): Buffer {
  const life = Buffer.from(incarnation.replaceAll('-', ''), 'hex').subarray(0, 12);
  const { offset, epoch, acceptedAt } = accepted;
  const numbers = [low(offset, 7), epoch < 0 ? Buffer.alloc(3, 0xff) : low(epoch, 3), low(acceptedAt, 3)];
  return tagged(2, owner, Buffer.concat([life, ...numbers, Buffer.from(name)]));
}

describe('a receipt', () => {
  it('is what its description says, byte by byte', () => {
    const offsets = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 48 + 5, Number.MAX_SAFE_INTEGER];
    for (let round = 0; round < 200; round++) {
      for (const offset of offsets) {
        const [owner, incarnation] = [randomUUID(), randomUUID()];
        const accepted = { offset, epoch: round - 1, acceptedAt: 1_700_000_000_000 + round * 12_345_678 };
        const plain = { name: 'b'.repeat(1 + (round % 32)), incarnation, accepted };
        const receipt = encodeReceipt(owner, plain, accepted);
        expect(receipt).toEqual(plainly(owner, plain));
        const content = {
          ...accepted,
          name: plain.name,
          life: incarnation.slice(0, 28),
          acceptedAt: accepted.acceptedAt % 2 ** 24,
        };
        expect(decodeReceipt(owner, receipt)).toEqual(content);
        expect(decodeReceipt(owner, new Uint8Array(receipt))).toEqual(content);
      }
    }
  });

  it('is of nobody but its owner, whoever that is', () => {
    const accepted = { offset: 1, epoch: 2, acceptedAt: 3 };
    const content = { name: 'bob', incarnation: SAMPLE, accepted };
    for (const owner of ['', 'me', 'é', 'x'.repeat(100)]) {
      expect(encodeReceipt(owner, content, accepted)).toEqual(plainly(owner, content));
      expect(decodeReceipt(`${owner}x`, encodeReceipt(owner, content, accepted))).toBeNull();
    }
  });

  it('is not made for what is no place', () => {
    const at = (offset: number) => ({ offset, epoch: 0, acceptedAt: 0 });
    expect(() => encodeReceipt('me', { name: 'bob', incarnation: 'life' }, at(1))).toThrow(/is no UUID/);
    for (const offset of [-1, 1.5, Number.NaN]) {
      expect(() => encodeReceipt('me', { name: 'bob', incarnation: SAMPLE }, at(offset))).toThrow(RangeError);
    }
  });

  it('is nothing at all where its owner could have tagged what it says and no frontend did', () => {
    const before = (name: string, offset: bigint) => {
      const rest = Buffer.concat([randomBytes(16), Buffer.alloc(8), Buffer.from(name, 'latin1')]);
      rest.writeBigUInt64BE(offset, 16);
      return tagged(1, 'me', rest);
    };
    const now = (name: string, offset: bigint) => {
      const rest = Buffer.concat([randomBytes(12), Buffer.alloc(13), Buffer.from(name, 'latin1')]);
      rest.writeUIntBE(Number(offset >> 32n), 12, 3);
      rest.writeUInt32BE(Number(offset & 0xffffffffn), 15);
      return tagged(2, 'me', rest);
    };
    for (const forged of [before, now]) {
      const last = forged('bob', 2n ** 53n - 1n);
      expect(decodeReceipt('me', last)).toMatchObject({ name: 'bob', offset: 2 ** 53 - 1 });
      expect(decodeReceipt('me', forged('bob', 2n ** 53n))).toBeNull();
      expect(decodeReceipt('me', forged('bob', 2n ** 56n - 1n))).toBeNull();
      for (const name of ['Bob', 'b b', '\xe9', '']) expect(decodeReceipt('me', forged(name, 1n))).toBeNull();
    }
    expect(decodeReceipt('me', before('bob', 2n ** 64n - 1n))).toBeNull();
    expect(decodeReceipt('me', tagged(3, 'me', randomBytes(30)))).toBeNull();
  });
});
