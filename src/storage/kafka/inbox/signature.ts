import { timingSafeEqual } from 'node:crypto';
import type { ClusterKey } from '../../../core/cluster-key.ts';
import { HMAC_ROOM, HmacKey } from './hmac.ts';

/*
  milena-sig = "1" ":" key id ":" HMAC-SHA-256, base64url
  over these fields, each as length (u32 big-endian) and bytes:
    "milena-sig-1", sender, sender's incarnation, recipient's incarnation, id, time, content type, body
*/

const FORMAT = '1';
const CONTEXT = 'milena-sig-1';

/** What a MAC says about who made it: a frontend, with the key that signs or an older one; nobody can tell; somebody else. */
export type Authenticity = 'genuine' | 'genuine, old key' | 'unknown key' | 'forged';

/** Of 32 bytes in base64url, without padding. */
const DIGEST_CHARACTERS = 43;
/** What is being compared. */
const given = Buffer.alloc(DIGEST_CHARACTERS);
const expected = Buffer.alloc(DIGEST_CHARACTERS);

/** Where most of what has parts is put together: a buffer for each would take as long as its hash. */
const room = Buffer.alloc(4_096);

/** What a signature vouches for. */
export interface SignedFields {
  readonly from: string;
  /** Ids are the texts that the headers have. */
  readonly fromIncarnation: string;
  readonly toIncarnation: string;
  readonly id: string;
  readonly time: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/**
 * Signs what frontends write, so that a recipient's frontend can tell a user's message from one that some other
 * Kafka producer made up. The first key signs; all of them verify, so that old mail stays verified while a key is
 * being replaced.
 */
export class Signer {
  /** By id. */
  readonly #keys: ReadonlyMap<string, HmacKey>;
  readonly #signingId: string;
  readonly #signing: HmacKey;

  /** @throws RangeError without a key */
  constructor(keys: readonly ClusterKey[]) {
    const [first] = keys;
    if (!first) throw new RangeError('there is no key to sign with');
    // Of two keys with one id the first counts.
    this.#keys = new Map(keys.toReversed().map(({ id, secret }) => [id, new HmacKey(secret)]));
    this.#signingId = first.id;
    this.#signing = new HmacKey(first.secret);
  }

  /** The header's value. */
  sign(fields: SignedFields): string {
    return `${FORMAT}:${this.#signingId}:${digest(this.#signing, fields)}`;
  }

  /** Whether a header's value is one of ours for exactly these fields. Takes anything. */
  verify(header: string, fields: SignedFields): boolean {
    const [format, id, text, ...more] = header.split(':');
    if (format !== FORMAT || text === undefined || more.length > 0) return false;
    const key = this.#keys.get(id ?? '');
    return key !== undefined && isSame(text, digest(key, fields));
  }

  /**
   * A MAC over some parts and their lengths.
   * @param parts the first one says what kind of thing they are, and is of that kind alone
   * @returns `<key id>:<MAC in base64url>`
   */
  signParts(parts: readonly (string | Buffer)[]): string {
    return `${this.#signingId}:${digestOfParts(this.#signing, parts)}`;
  }

  /** What key id and MAC say about these parts. Takes anything. */
  checkParts(keyId: string, mac: string, parts: readonly (string | Buffer)[]): Authenticity {
    const key = this.#keys.get(keyId);
    if (key === undefined) return 'unknown key';
    if (!isSame(mac, digestOfParts(key, parts))) return 'forged';
    return keyId === this.#signingId ? 'genuine' : 'genuine, old key';
  }
}

function isSame(text: string, digest: string): boolean {
  // Of a text with other characters than ASCII not all bytes fit.
  if (text.length !== DIGEST_CHARACTERS || given.write(text) !== DIGEST_CHARACTERS) return false;
  expected.write(digest);
  return timingSafeEqual(given, expected);
}

/** In base64url. */
function digest(key: HmacKey, fields: SignedFields): string {
  const { from, fromIncarnation, toIncarnation, id, time, contentType, body } = fields;
  const characters =
    CONTEXT.length +
    (from.length + fromIncarnation.length + toIncarnation.length) +
    (id.length + time.length + contentType.length);
  // A character is at most three bytes of UTF-8.
  const bytes = Buffer.allocUnsafe(HMAC_ROOM + 8 * 4 + 3 * characters + body.length);
  let at = HMAC_ROOM;
  for (const text of [CONTEXT, from, fromIncarnation, toIncarnation, id, time, contentType]) {
    const length = bytes.write(text, at + 4);
    bytes.writeUInt32BE(length, at);
    at += 4 + length;
  }
  at = bytes.writeUInt32BE(body.length, at);
  bytes.set(body, at);
  return key.digest(bytes.subarray(0, at + body.length), 'base64url');
}

/** In base64url. */
function digestOfParts(key: HmacKey, parts: readonly (string | Buffer)[]): string {
  let most = HMAC_ROOM;
  for (const part of parts) most += 4 + (typeof part === 'string' ? 3 : 1) * part.length;
  const bytes = most <= room.length ? room : Buffer.allocUnsafe(most);
  let at = HMAC_ROOM;
  for (const part of parts) {
    const length = typeof part === 'string' ? bytes.write(part, at + 4) : part.copy(bytes, at + 4);
    bytes.writeUInt32BE(length, at);
    at += 4 + length;
  }
  return key.digest(bytes.subarray(0, at), 'base64url');
}
