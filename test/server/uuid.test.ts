import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Accepted } from '../../src/core/inboxes.ts';
import { decodeReceipt, encodeReceipt } from '../../src/server/receipts/receipt.ts';
import {
  demandUuid,
  newUuid,
  sameUuid,
  uuidBytes,
  uuidKey,
  uuidOfKey,
  uuidText,
} from '../../src/util/uuid.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const SAMPLE = '01234567-89ab-cdef-0123-456789abcdef';
const ME = demandUuid('aaaaaaaa-0000-4000-8000-000000000001');

describe('a UUID', () => {
  it('becomes its bytes and comes back, in lower case', () => {
    for (let round = 0; round < 1_000; round++) {
      const text = randomUUID();
      const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
      expect(uuidBytes(text)).toEqual(new Uint8Array(bytes));
      expect(uuidBytes(text.toUpperCase())).toEqual(new Uint8Array(bytes));
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

  it('is demanded where it can be nothing else', () => {
    expect(demandUuid(SAMPLE)).toEqual(uuidBytes(SAMPLE));
    expect(() => demandUuid('me')).toThrow(/me is no UUID/);
  });

  it('made anew is another one each time, of version 4', () => {
    const made = Array.from({ length: 100 }, newUuid);
    expect(new Set(made.map(uuidKey)).size).toBe(100);
    for (const id of made) expect(uuidText(id)).toMatch(/^.{14}4.{4}[89ab]/);
  });

  it('has a key of its own for Maps, and comes back from it', () => {
    const bytes = Buffer.from(Array.from({ length: 16 }, (_, i) => 17 * i));
    expect(uuidKey(bytes)).toBe(bytes.toString('latin1'));
    expect(uuidOfKey(`ab${uuidKey(bytes)}c`, 2)).toEqual(new Uint8Array(bytes));
    for (let byte = 0; byte < 16; byte++) {
      const other = Buffer.from(bytes);
      other[byte] = (other[byte] ?? 0) ^ 1;
      expect(uuidKey(other)).not.toBe(uuidKey(bytes));
      expect([sameUuid(bytes, other), sameUuid(bytes, Buffer.from(bytes))]).toEqual([false, true]);
    }
  });
});

interface Plain {
  readonly name: string;
  readonly incarnation: Uint8Array;
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
function plainly(owner: Uint8Array, { name, incarnation, accepted }: Plain): Buffer {
  const life = incarnation.subarray(0, 12);
  const { offset, epoch, acceptedAt } = accepted;
  const numbers = [low(offset, 7), epoch < 0 ? Buffer.alloc(3, 0xff) : low(epoch, 3), low(acceptedAt, 3)];
  return tagged(2, uuidText(owner), Buffer.concat([life, ...numbers, Buffer.from(name)]));
}

describe('a receipt', () => {
  it('is what its description says, byte by byte', () => {
    const offsets = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 48 + 5, Number.MAX_SAFE_INTEGER];
    for (let round = 0; round < 200; round++) {
      for (const offset of offsets) {
        const [owner, incarnation] = [newUuid(), newUuid()];
        const accepted = { offset, epoch: round - 1, acceptedAt: 1_700_000_000_000 + round * 12_345_678 };
        const plain = { name: 'b'.repeat(1 + (round % 32)), incarnation, accepted };
        const receipt = encodeReceipt(owner, plain, accepted);
        expect(receipt).toEqual(plainly(owner, plain));
        const content = {
          ...accepted,
          name: plain.name,
          life: Buffer.from(incarnation.subarray(0, 12)),
          acceptedAt: accepted.acceptedAt % 2 ** 24,
        };
        expect(decodeReceipt(owner, receipt)).toEqual(content);
        expect(decodeReceipt(owner, new Uint8Array(receipt))).toEqual(content);
      }
    }
  });

  it('is of nobody but its owner, whoever that is', () => {
    const accepted = { offset: 1, epoch: 2, acceptedAt: 3 };
    const content = { name: 'bob', incarnation: demandUuid(SAMPLE), accepted };
    for (const owner of [ME, content.incarnation]) {
      expect(encodeReceipt(owner, content, accepted)).toEqual(plainly(owner, content));
      for (let byte = 0; byte < 16; byte++) {
        const other = Buffer.from(owner);
        other[byte] = (other[byte] ?? 0) ^ 1;
        expect(decodeReceipt(other, encodeReceipt(owner, content, accepted))).toBeNull();
      }
    }
  });

  it('is not made for what is no place', () => {
    const at = (offset: number) => ({ offset, epoch: 0, acceptedAt: 0 });
    for (const offset of [-1, 1.5, Number.NaN]) {
      expect(() => encodeReceipt(ME, { name: 'bob', incarnation: demandUuid(SAMPLE) }, at(offset))).toThrow(
        RangeError,
      );
    }
  });

  it('is nothing at all where its owner could have tagged what it says and no frontend did', () => {
    const before = (name: string, offset: bigint) => {
      const rest = Buffer.concat([randomBytes(16), Buffer.alloc(8), Buffer.from(name, 'latin1')]);
      rest.writeBigUInt64BE(offset, 16);
      return tagged(1, uuidText(ME), rest);
    };
    const now = (name: string, offset: bigint) => {
      const rest = Buffer.concat([randomBytes(12), Buffer.alloc(13), Buffer.from(name, 'latin1')]);
      rest.writeUIntBE(Number(offset >> 32n), 12, 3);
      rest.writeUInt32BE(Number(offset & 0xffffffffn), 15);
      return tagged(2, uuidText(ME), rest);
    };
    for (const forged of [before, now]) {
      const last = forged('bob', 2n ** 53n - 1n);
      expect(decodeReceipt(ME, last)).toMatchObject({ name: 'bob', offset: 2 ** 53 - 1 });
      expect(decodeReceipt(ME, forged('bob', 2n ** 53n))).toBeNull();
      expect(decodeReceipt(ME, forged('bob', 2n ** 56n - 1n))).toBeNull();
      for (const name of ['Bob', 'b b', '\xe9', '']) expect(decodeReceipt(ME, forged(name, 1n))).toBeNull();
    }
    expect(decodeReceipt(ME, before('bob', 2n ** 64n - 1n))).toBeNull();
    expect(decodeReceipt(ME, tagged(3, uuidText(ME), randomBytes(30)))).toBeNull();
  });
});
