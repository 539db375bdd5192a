import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';

/** OWASP's advice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. */
export const COST: Cost = { memoryKiB: 19_456, passes: 2, lanes: 1 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Makes and checks password hashes. It does so at once, whoever asks: `HashLine` says when. */
export class Passwords {
  readonly #cost: Cost;
  /** What a password is checked against where there is no account: the same work, and never a match. */
  readonly #nobody: PasswordHash;
  #count = 0;

  /** @param cost of new hashes; a lower one is raised at the next login */
  constructor(cost: Cost) {
    this.#cost = cost;
    this.#nobody = { ...cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  }

  /** Hashes computed so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * A new hash as a PHC string.
   * @param before the one that it takes the place of, of the same password: it keeps that one's id
   */
  async hash(password: string, before: string | null = null): Promise<string> {
    const salt = (before === null ? null : parsePhc(before)?.salt) ?? randomBytes(SALT_BYTES);
    const blank = { ...this.#cost, salt };
    return formatPhc({ ...blank, hash: await this.#compute(password, blank, HASH_BYTES) });
  }

  /**
   * Whether the password is the one that was hashed. One hash is computed in any case, for an account without a
   * password and for no account at all as well.
   */
  async matches(credential: string | null, password: string): Promise<boolean> {
    const stored = credential === null ? null : parsePhc(credential);
    const expected = stored ?? this.#nobody;
    const computed = await this.#compute(password, expected, expected.hash.length);
    return timingSafeEqual(computed, expected.hash) && stored !== null;
  }

  /** Whether the hash was made with less work than new ones are. */
  isOutdated(credential: string): boolean {
    const stored = parsePhc(credential);
    if (stored === null) return true;
    const cost = this.#cost;
    return stored.memoryKiB < cost.memoryKiB || stored.passes < cost.passes || stored.lanes < cost.lanes;
  }

  #compute(password: string, how: Cost & { readonly salt: Buffer }, length: number): Promise<Buffer> {
    this.#count += 1;
    return derive(password, how, length);
  }
}

/**
 * Says which password an account has, so that one can tell whether it still is that one: by the salt, which stays where the hash is
 * made anew with more work.
 * @param credential null: an open account
 */
export function passwordIdOf(credential: string | null): string {
  return credential === null ? 'open' : (parsePhc(credential)?.salt.toString('base64url') ?? 'unreadable');
}

function derive(password: string, how: Cost & { readonly salt: Buffer }, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { salt, lanes, memoryKiB, passes } = how;
    const message = Buffer.from(password);
    argon2(
      'argon2id',
      { message, nonce: salt, parallelism: lanes, memory: memoryKiB, passes, tagLength: length },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}

/*
 * $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>      salt and hash in base64 without padding
 *
 * The string format of the Password Hashing Competition: a hash says itself how it was made.
 */

/** How much work a hash costs. */
export interface Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

export interface PasswordHash extends Cost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;
/** A record that asks for more would stop a frontend: nobody of us has written it. */
const MOST: Cost = { memoryKiB: 1024 * 1024, passes: 64, lanes: 16 };

export function formatPhc({ memoryKiB, passes, lanes, salt, hash }: PasswordHash): string {
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${bare(salt)}$${bare(hash)}`;
}

/** Null for what is no argon2id hash, or one that would cost too much. */
export function parsePhc(text: string): PasswordHash | null {
  const [, memory, passes, lanes, salt, hash] = PHC.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return null;
  const parsed = {
    memoryKiB: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
  const possible = parsed.lanes >= 1 && parsed.passes >= 1 && parsed.memoryKiB >= 8 * parsed.lanes;
  const bearable =
    parsed.memoryKiB <= MOST.memoryKiB && parsed.passes <= MOST.passes && parsed.lanes <= MOST.lanes;
  return possible && bearable ? parsed : null;
}

function bare(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
