import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

/*
  milena-sig = "1" ":" key id ":" HMAC-SHA-256, base64url
  over these fields, each as length (u32 big-endian) and bytes:
    "milena-sig-1", sender, sender's incarnation, recipient's incarnation, id, time, content type, body
*/

const FORMAT = '1';
const CONTEXT = 'milena-sig-1';

/** A key of the cluster: all frontends have the same ones. */
export interface ClusterKey {
  /** `[A-Za-z0-9_-]{1,32}`; tells which key a record was signed with. */
  readonly id: string;
  /** At least 32 bytes. */
  readonly secret: Buffer;
}

/** What a signature vouches for. */
export interface SignedFields {
  readonly from: string;
  readonly fromIncarnation: string;
  readonly toIncarnation: string;
  readonly id: string;
  readonly time: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * Signs what frontends write, so that a recipient's frontend can tell a user's message from one that some other
 * Kafka producer made up. The first key signs; all of them verify, so that old mail stays verified while a key is
 * being replaced.
 */
export class Signer {
  /** By id. As key objects: made anew for each message they take seven times as long as the digest. */
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #signingId: string;
  readonly #signing: KeyObject;

  /** @throws RangeError without a key */
  constructor(keys: readonly ClusterKey[]) {
    const [first] = keys;
    if (!first) throw new RangeError('there is no key to sign with');
    // Of two keys with one id the first counts.
    this.#keys = new Map(keys.toReversed().map(({ id, secret }) => [id, createSecretKey(secret)]));
    this.#signingId = first.id;
    this.#signing = createSecretKey(first.secret);
  }

  /** The header's value. */
  sign(fields: SignedFields): string {
    return `${FORMAT}:${this.#signingId}:${digest(this.#signing, fields).toString('base64url')}`;
  }

  /** Whether a header's value is one of ours for exactly these fields. Takes anything. */
  verify(header: string, fields: SignedFields): boolean {
    const [format, id, text, ...more] = header.split(':');
    if (format !== FORMAT || text === undefined || more.length > 0) return false;
    const key = this.#keys.get(id ?? '');
    if (!key) return false;
    const given = Buffer.from(text, 'base64url');
    const expected = digest(key, fields);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** A new random key, named by the day it was made. */
export function newClusterKey(now = new Date()): ClusterKey {
  return { id: `k${now.toISOString().slice(0, 10).replaceAll('-', '')}`, secret: randomBytes(32) };
}

function digest(key: KeyObject, fields: SignedFields): Buffer {
  const { from, fromIncarnation, toIncarnation, id, time, contentType, body } = fields;
  const texts = [CONTEXT, from, fromIncarnation, toIncarnation, id, time, contentType];
  // One piece: each call into the hash costs more than the bytes do.
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, 4 + body.length));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    at = bytes.writeUInt32BE(lengths[index] ?? 0, at);
    at += bytes.write(text, at);
  }
  at = bytes.writeUInt32BE(body.length, at);
  body.copy(bytes, at);
  return createHmac('sha256', key).update(bytes).digest();
}
