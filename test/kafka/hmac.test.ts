import { createHmac, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { HMAC_ROOM, HmacKey } from '../../src/storage/kafka/inbox/hmac.ts';

function digest(secret: Uint8Array, message: Buffer): string {
  return new HmacKey(secret).digest(Buffer.concat([randomBytes(HMAC_ROOM), message]), 'hex');
}

/** Test cases of RFC 4231. */
test.each([
  ['0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    'aa'.repeat(131),
    '54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
])('key %s, message %s', (key, message, expected) => {
  expect(digest(Buffer.from(key, 'hex'), Buffer.from(message, 'hex'))).toBe(expected);
});

test("the same as node's, for keys and messages of any length", () => {
  for (let i = 0; i < 300; i++) {
    const [secret, message] = [randomBytes(i % 140), randomBytes((i * 37) % 1_000)];
    expect(digest(secret, message)).toBe(createHmac('sha256', secret).update(message).digest('hex'));
  }
});

test('a key is good for many messages', () => {
  const key = new HmacKey(Buffer.from('secret'));
  const sign = () => key.digest(Buffer.concat([Buffer.alloc(HMAC_ROOM), Buffer.from('hello')]), 'base64url');
  const first = sign();
  expect(sign()).toBe(first);
  expect(first).toBe(createHmac('sha256', 'secret').update('hello').digest('base64url'));
});
