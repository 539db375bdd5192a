import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

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
  readonly #keys: readonly ClusterKey[];
  readonly #signing: ClusterKey;

  /** @throws RangeError without a key */
  constructor(keys: readonly ClusterKey[]) {
    const [first] = keys;
    if (!first) throw new RangeError('there is no key to sign with');
    this.#keys = keys;
    this.#signing = first;
  }

  /** The header's value. */
  sign(fields: SignedFields): string {
    return `${FORMAT}:${this.#signing.id}:${digest(this.#signing, fields).toString('base64url')}`;
  }

  /** Whether a header's value is one of ours for exactly these fields. Takes anything. */
  verify(header: string, fields: SignedFields): boolean {
    const [format, id, text, ...more] = header.split(':');
    if (format !== FORMAT || text === undefined || more.length > 0) return false;
    const key = this.#keys.find((candidate) => candidate.id === id);
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

function digest(key: ClusterKey, fields: SignedFields): Buffer {
  const hmac = createHmac('sha256', key.secret);
  const length = Buffer.alloc(4);
  const { from, fromIncarnation, toIncarnation, id, time, contentType, body } = fields;
  for (const field of [CONTEXT, from, fromIncarnation, toIncarnation, id, time, contentType, body]) {
    const bytes = typeof field === 'string' ? Buffer.from(field) : field;
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  }
  return hmac.digest();
}
