import { hash } from 'node:crypto';

/*
  HMAC (RFC 2104) with SHA-256:  H(key ^ outer pad, H(key ^ inner pad, message))
  from two hashes in one call each: an Hmac object of node:crypto takes several times as long for a short message.
*/

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Bytes before a message that are the key's. */
export const HMAC_ROOM = BLOCK_BYTES;

/** A key, ready to sign and to verify any number of messages. */
export class HmacKey {
  readonly #inner: Buffer;
  /** The padded key, and room for the inner digest. */
  readonly #outer: Buffer;

  constructor(secret: Uint8Array) {
    const key = Buffer.alloc(BLOCK_BYTES);
    key.set(secret.length > BLOCK_BYTES ? hash('sha256', secret, 'buffer') : secret);
    this.#inner = key.map((byte) => byte ^ INNER_PAD) as Buffer;
    this.#outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
    this.#outer.set(key.map((byte) => byte ^ OUTER_PAD));
  }

  /** @param bytes `HMAC_ROOM` bytes that are overwritten, then the message */
  digest(bytes: Buffer, encoding: 'base64url' | 'hex'): string {
    bytes.set(this.#inner);
    // A string is much cheaper to get out of a hash than a buffer.
    this.#outer.write(hash('sha256', bytes, 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', this.#outer, encoding);
  }
}
