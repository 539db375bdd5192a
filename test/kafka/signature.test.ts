import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type SignedFields, Signer } from '../../src/storage/kafka/inbox/signature.ts';

const KEY = { id: 'k1', secret: randomBytes(32) };
const OLD = { id: 'k0', secret: randomBytes(64) };
const FIELDS: SignedFields = {
  ...{ from: 'anna', fromIncarnation: 'life of anna', toIncarnation: 'life of bob' },
  ...{ id: 'm', time: '2026-11-30T00:00:00.000Z', contentType: 'text/plain; x="☂"', body: randomBytes(300) },
};

/** The MAC by its description: each part as its length and its bytes. */
function plainly(secret: Buffer, parts: readonly (string | Uint8Array)[]): string {
  const mac = createHmac('sha256', secret);
  for (const part of parts) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return mac.digest('base64url');
}

function partsOf(fields: SignedFields): (string | Uint8Array)[] {
  const { from, fromIncarnation, toIncarnation, id, time, contentType, body } = fields;
  return ['milena-sig-1', from, fromIncarnation, toIncarnation, id, time, contentType, body];
}

describe('a signature', () => {
  it('is what its description says, by the first key', () => {
    const signer = new Signer([KEY, OLD]);
    for (const body of [Buffer.alloc(0), FIELDS.body, randomBytes(10_000)]) {
      const fields = { ...FIELDS, body };
      expect(signer.sign(fields)).toBe(`1:k1:${plainly(KEY.secret, partsOf(fields))}`);
      expect(signer.verify(`1:k0:${plainly(OLD.secret, partsOf(fields))}`, fields)).toBe(true);
    }
  });

  it('is of these fields and no others, and by a key that is known', () => {
    const signer = new Signer([KEY]);
    const signature = signer.sign(FIELDS);
    expect(signer.verify(signature, FIELDS)).toBe(true);
    for (const field of ['from', 'fromIncarnation', 'toIncarnation', 'id', 'time', 'contentType'] as const)
      expect(signer.verify(signature, { ...FIELDS, [field]: `${FIELDS[field]}x` })).toBe(false);
    expect(signer.verify(signature, { ...FIELDS, body: randomBytes(300) })).toBe(false);
    expect(signer.verify(signature, { ...FIELDS, from: 'annalife', fromIncarnation: ' of anna' })).toBe(
      false,
    );
    for (const header of [
      '',
      '1',
      '1:k1',
      `2:${signature.slice(2)}`,
      `${signature}:`,
      `1:k0:${'A'.repeat(43)}`,
    ])
      expect(signer.verify(header, FIELDS), header).toBe(false);
    expect(new Signer([OLD]).verify(signature, FIELDS)).toBe(false);
  });

  it('of parts says by which key it is', () => {
    const parts = ['milena-test', '', randomBytes(5_000), 'é'];
    const mac = plainly(OLD.secret, parts);
    expect(new Signer([OLD]).signParts(parts)).toBe(`k0:${mac}`);
    const signer = new Signer([KEY, OLD]);
    expect(signer.checkParts('k0', mac, parts)).toBe('genuine, old key');
    expect(signer.checkParts('k1', plainly(KEY.secret, parts), parts)).toBe('genuine');
    expect(signer.checkParts('k1', mac, parts)).toBe('forged');
    expect(signer.checkParts('k2', mac, parts)).toBe('unknown key');
  });
});
