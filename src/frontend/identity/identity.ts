import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Account } from '../../kafka/accounts.ts';
import type { Sessions } from '../../kafka/sessions.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Limits } from '../limits.ts';
import type { ResumeToken } from '../requests.ts';
import { Passwords } from './passwords.ts';
import { TokenBuckets } from './token-buckets.ts';

const TOKEN_BYTES = 32;

/** How a login by token went: it stays valid, and how much of its time is left. */
export interface Resumption extends ResumeToken {
  readonly remainingMs: number;
}

/** Who is who: passwords, resume tokens, and how often one may be wrong about them. */
export class Identity {
  readonly passwords: Passwords;
  readonly #sessions: Sessions;
  readonly #limits: Limits;
  /** Failures to prove oneself, by address and by name; both are bounded maps. */
  readonly #byAddress: TokenBuckets;
  readonly #byName: TokenBuckets;

  constructor(sessions: Sessions, limits: Limits) {
    this.#sessions = sessions;
    this.#limits = limits;
    this.passwords = new Passwords({
      cost: limits.passwordCost,
      atOnce: limits.hashesAtOnce,
      waiting: limits.hashesWaiting,
    });
    this.#byAddress = new TokenBuckets(limits.failuresPerAddress, limits.rateKeys);
    this.#byName = new TokenBuckets(limits.failuresPerName, limits.rateKeys);
  }

  /** The credential of an account with this password. @throws ProtocolError `WEAK_PASSWORD`, `BUSY` */
  async newCredential(name: string, password: string): Promise<string> {
    const { passwordCharacters } = this.#limits;
    if ([...password].length < passwordCharacters) {
      throw new ProtocolError('WEAK_PASSWORD', `A password needs at least ${passwordCharacters} characters.`);
    }
    if (password.toLowerCase() === name) {
      throw new ProtocolError('WEAK_PASSWORD', 'A password must be something else than the username.');
    }
    return this.passwords.hash(password);
  }

  /**
   * Resolves if the password is the account's. Nobody can tell by answer or time whether there is such an account.
   * @param name whose wrong passwords are counted; null for a caller who holds the account already, and whom nobody
   * else's guesses must lock out
   * @throws ProtocolError `BAD_CREDENTIALS`, `RATE_LIMITED`, `BUSY`
   */
  async demandPassword(
    caller: string,
    name: string | null,
    account: Account | undefined,
    password: string,
  ): Promise<void> {
    const right = await this.#counted(caller, name, () =>
      this.passwords.matches(account?.credential ?? null, password),
    );
    if (!right) throw new ProtocolError('BAD_CREDENTIALS');
  }

  /**
   * Resolves if the token is that of the account's latest login. Guessing is hopeless, so only the address counts:
   * nobody can lock the owner out by wrong passwords for the name.
   * @throws ProtocolError `BAD_CREDENTIALS`, `RATE_LIMITED`; EngineError `UNAVAILABLE`
   */
  async demandToken(caller: string, account: Account | undefined, token: Uint8Array): Promise<Resumption> {
    this.#demandToken(this.#byAddress, caller);
    // Counted when it was wrong, not while it is looked at: thousands may come back through one address at once.
    this.#byAddress.giveBack(caller);
    const stored = account === undefined ? undefined : await this.#sessions.find(account);
    if (stored === undefined || !timingSafeEqual(hashOf(token), stored.tokenHash)) {
      this.#byAddress.take(caller);
      throw new ProtocolError('BAD_CREDENTIALS', 'That login cannot be continued: log in again.');
    }
    return { token, tokenExpiresAt: stored.expiresAt, remainingMs: stored.expiresAt - Date.now() };
  }

  /** A token for the account's next login, in place of any other. @throws EngineError `BUSY`, `UNAVAILABLE` */
  async issueToken(account: Account): Promise<ResumeToken> {
    return this.#store(account, randomBytes(TOKEN_BYTES));
  }

  /**
   * The same token for longer: a client whose connection breaks before it hears of another one could not come back.
   * Written only when half of its time is over.
   * @throws EngineError `BUSY`, `UNAVAILABLE`
   */
  async prolongToken(account: Account, resumption: Resumption): Promise<ResumeToken> {
    if (resumption.remainingMs > this.#limits.resumeMs / 2) return resumption;
    return this.#store(account, resumption.token);
  }

  /** Nobody comes back to this login. @throws EngineError `BUSY`, `UNAVAILABLE` */
  async forgetToken(account: Account): Promise<void> {
    await this.#sessions.remove(account);
  }

  async #store(account: Account, token: Uint8Array): Promise<ResumeToken> {
    const tokenExpiresAt = Date.now() + this.#limits.resumeMs;
    await this.#sessions.put(account, { tokenHash: hashOf(token), expiresAt: tokenExpiresAt });
    return { token, tokenExpiresAt };
  }

  /** An attempt costs a token of each bucket, and only a wrong one keeps it. */
  async #counted(caller: string, name: string | null, isRight: () => Promise<boolean>): Promise<boolean> {
    this.#demandToken(this.#byAddress, caller);
    try {
      if (name !== null) this.#demandToken(this.#byName, name);
    } catch (error) {
      this.#byAddress.giveBack(caller);
      throw error;
    }
    let wrong = false;
    try {
      const right = await isRight();
      wrong = !right;
      return right;
    } finally {
      if (!wrong) {
        this.#byAddress.giveBack(caller);
        if (name !== null) this.#byName.giveBack(name);
      }
    }
  }

  #demandToken(buckets: TokenBuckets, key: string): void {
    const retryAfterMs = buckets.take(key);
    if (retryAfterMs === 0) return;
    throw new ProtocolError('RATE_LIMITED', 'Too many wrong passwords: wait a moment.', { retryAfterMs });
  }
}

function hashOf(token: Uint8Array): Buffer {
  return createHash('sha256').update(token).digest();
}
