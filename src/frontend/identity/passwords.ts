import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { ProtocolError } from '../../protocol/errors.ts';
import { type Cost, formatPhc, type PasswordHash, parsePhc } from './phc.ts';

/** OWASP's advice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. */
export const COST: Cost = { memoryKiB: 19_456, passes: 2, lanes: 1 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;

export interface PasswordsOptions {
  /** Cost of new hashes; a lower one is raised at the next login. */
  readonly cost: Cost;
  /** Hashes at once. Each takes its memory and a thread of the pool that name look-ups and files need, too. */
  readonly atOnce: number;
  /** Hashes that wait for their turn; one more is told BUSY at once. */
  readonly waiting: number;
}

/** Makes and checks password hashes, a few at once, so that logins cannot starve messages. */
export class Passwords {
  readonly #options: PasswordsOptions;
  /** What a password is checked against where there is no account: the same work, and never a match. */
  readonly #nobody: PasswordHash;
  #running = 0;
  /** At most `waiting`. */
  readonly #line: (() => void)[] = [];
  #count = 0;

  constructor(options: PasswordsOptions) {
    this.#options = options;
    this.#nobody = { ...options.cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  }

  /** Hashes computed so far. */
  get count(): number {
    return this.#count;
  }

  /** A new hash as a PHC string. @throws ProtocolError `BUSY` */
  async hash(password: string): Promise<string> {
    const blank = { ...this.#options.cost, salt: randomBytes(SALT_BYTES) };
    return formatPhc({ ...blank, hash: await this.#compute(password, blank, HASH_BYTES) });
  }

  /**
   * Whether the password is the one that was hashed. One hash is computed in any case, for an account without a
   * password and for no account at all as well.
   * @throws ProtocolError `BUSY`
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
    const { cost } = this.#options;
    return stored.memoryKiB < cost.memoryKiB || stored.passes < cost.passes || stored.lanes < cost.lanes;
  }

  async #compute(password: string, how: Cost & { readonly salt: Buffer }, length: number): Promise<Buffer> {
    await this.#enter();
    this.#count += 1;
    try {
      return await derive(password, how, length);
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#options.atOnce) {
      this.#running += 1;
      return;
    }
    if (this.#line.length >= this.#options.waiting) {
      throw new ProtocolError('BUSY', 'Too many people are logging in: try again in a moment.', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    // Who leaves hands the place on, so it is never free while somebody waits.
    await new Promise<void>((enter) => this.#line.push(enter));
  }
}

/** About as long as a full line takes. */
const RETRY_AFTER_MS = 2_000;

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
