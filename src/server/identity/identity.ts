import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Account, type Accounts, isSameLife } from '../../core/accounts.ts';
import { devicesOf } from '../../core/devices.ts';
import type { ResumeTokens, StoredToken } from '../../core/storage.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { TokenBuckets } from '../../util/token-buckets.ts';
import { weaknessOf } from '../../util/weak-password.ts';
import type { ResumeToken } from '../commands/entry.ts';
import type { Limits } from '../limits.ts';
import { type Claim, Guesses } from './guesses.ts';
import type { LaneName, Work } from './hash-lane.ts';
import { HashLine } from './hash-line.ts';
import { Passwords, passwordIdOf } from './passwords.ts';

const TOKEN_BYTES = 32;

/** How a login by token went: it stays valid, and how much of its time is left. */
export interface Resumption extends ResumeToken {
  readonly account: Account;
  readonly remainingMs: number;
}

/** Who is who: passwords, resume tokens, and how often one may be wrong about them. */
export class Authentication {
  readonly #passwords: Passwords;
  readonly #accounts: Pick<Accounts, 'get' | 'find' | 'findEvenly'>;
  readonly #tokens: ResumeTokens;
  readonly #limits: Limits;
  readonly #guesses: Guesses;
  readonly #line: HashLine;
  /** By address, and those who wait to hear of theirs. */
  readonly #wrongTokens: TokenBuckets;
  readonly #wrongTokenLine: HashLine;

  constructor(accounts: Pick<Accounts, 'get' | 'find' | 'findEvenly'>, tokens: ResumeTokens, limits: Limits) {
    this.#accounts = accounts;
    this.#tokens = tokens;
    this.#limits = limits;
    this.#passwords = new Passwords(limits.passwordCost);
    this.#line = new HashLine({ atOnce: limits.hashesAtOnce, waiting: limits.hashesWaiting });
    this.#wrongTokens = new TokenBuckets(limits.wrongTokensPerAddress, limits.rateKeys);
    this.#wrongTokenLine = new HashLine({ atOnce: 1, waiting: limits.wrongTokensWaiting });
    this.#guesses = new Guesses({
      perPair: limits.failuresPerPair,
      perKnownPair: limits.failuresPerKnownPair,
      perName: limits.failuresPerName,
      perAddress: limits.failuresPerAddress,
      keys: limits.rateKeys,
    });
  }

  /**
   * The credential of an account with this password.
   * @param isNew whether the account is to be made with it: new accounts wait in a line of their own
   * @throws ProtocolError `WEAK_PASSWORD`, `BUSY`, `UNAVAILABLE` for a caller who is gone
   */
  async newCredential(claim: Claim, password: string, isNew: boolean): Promise<string> {
    const weakness = await weaknessOf(password, claim.name, this.#limits.passwordCharacters);
    if (weakness !== null) throw new ProtocolError('WEAK_PASSWORD', weakness);
    const lane = isNew ? 'creates' : 'known';
    const waitMs = () => demandThere(claim);
    return this.#line.pass(workOf(claim, lane, waitMs), () => this.#passwords.hash(password));
  }

  /**
   * The account, if the password is its own. Nobody can tell by answer or time whether there is such an account. Who was
   * wrong too often waits; nobody is refused for it while there is room in the line.
   * @param current what is known of the account when the password's turn comes
   * @throws ProtocolError `BAD_CREDENTIALS`, `UNAVAILABLE` for a caller who is gone; where the line is full, for one of
   * whoever has most in it: `RATE_LIMITED`, `BUSY`
   */
  async demandPassword(claim: Claim, current: () => Account | undefined, password: string): Promise<Account> {
    const lane = this.#guesses.isKnown(claim) ? 'known' : 'others';
    const waitMs = () => demandThere(claim) + this.#guesses.wait(claim);
    return this.#line.pass(workOf(claim, lane, waitMs), async () => {
      const account = current();
      const right = await this.#passwords.matches(account?.credential ?? null, password);
      // Before the place in the line is given on: the next attempt must find it counted.
      if (!right || account === undefined) {
        this.#guesses.wrong(claim);
        throw new ProtocolError('BAD_CREDENTIALS');
      }
      this.#guesses.gotIn(claim);
      return account;
    });
  }

  /**
   * Resolves if the token is that of the device's latest login, under the password that the account has, and the device one of its
   * own. Guessing one of 256 bits is hopeless and looking at it
   * costs no hash, so a right one gets in at once, whatever others do. Wrong ones are only noise: where an address makes too
   * much of it, the answer comes late.
   * @throws ProtocolError `BAD_CREDENTIALS`, `RATE_LIMITED` where too many wait for such an answer, `UNAVAILABLE` for a caller
   * who is gone; EngineError `UNAVAILABLE`
   */
  async demandToken(claim: Claim, token: Uint8Array, device?: string): Promise<Resumption> {
    const known = await this.#accounts.find(claim.name);
    const stored = known && (await this.#tokens.find(known, device));
    // It may have changed meanwhile.
    let account = this.#accounts.get(claim.name) ?? known;
    const isRight = stored !== undefined && timingSafeEqual(hashOf(token), stored.tokenHash);
    const isOfIts = (now: Account | undefined): now is Account =>
      isRight && known !== undefined && isSameLife(now, known) && isGood(now, device, stored);
    // It may be of a password, or a device, that the own table does not show yet.
    if (isRight && !isOfIts(account)) account = await this.#accounts.findEvenly(claim.name);
    if (!isRight || !isOfIts(account)) {
      await this.#wrongToken(claim);
      throw new ProtocolError('BAD_CREDENTIALS', NO_RESUMPTION);
    }
    this.#guesses.gotIn(claim);
    const { expiresAt } = stored;
    return { account, token, tokenExpiresAt: expiresAt, remainingMs: expiresAt - Date.now() };
  }

  /** Resolves when the address may be told so. */
  #wrongToken(claim: Claim): Promise<void> {
    const { address } = claim;
    const waitMs = () => demandThere(claim) + this.#wrongTokens.wait(address);
    return this.#wrongTokenLine.pass(workOf(claim, 'others', waitMs), async () => {
      this.#wrongTokens.charge(address);
    });
  }

  /**
   * Makes the account's hash anew if it was made with less work than today's.
   * @returns null where there is no need
   * @throws ProtocolError `BUSY`
   */
  async renewedCredential(claim: Claim, account: Account, password: string): Promise<string | null> {
    if (account.credential === null || !this.#passwords.isOutdated(account.credential)) return null;
    // Who is in already holds a place in the entrance: it is not to wait there for everybody else. As many as these are, no
    // more: they may stay to the end.
    const work = { ...workOf(claim, 'known', () => 0), hasEnded: () => false, whenGone: () => {} };
    return this.#line.pass(work, () => this.#passwords.hash(password, account.credential));
  }

  /** The account was made from there: its first login by password is no stranger's. */
  made(claim: Claim): void {
    this.#guesses.gotIn(claim);
  }

  /** A token for the device's next login, in place of any other. @throws EngineError `BUSY`, `UNAVAILABLE` */
  async issueToken(account: Account, device?: string): Promise<ResumeToken> {
    return this.#store(account, randomBytes(TOKEN_BYTES), device);
  }

  /** Half of a token's time is over. */
  isToBeProlonged({ remainingMs }: Resumption): boolean {
    return remainingMs <= this.#limits.resumeMs / 2;
  }

  /**
   * The same token for longer: a client whose connection breaks before it hears of another one could not come back.
   * Written only when that is to be.
   * @throws EngineError `BUSY`, `UNAVAILABLE`
   */
  async prolongToken(resumption: Resumption, device?: string): Promise<ResumeToken> {
    if (!this.isToBeProlonged(resumption)) return resumption;
    return this.#store(resumption.account, resumption.token, device);
  }

  /** Nobody comes back to this login. @throws EngineError `BUSY`, `UNAVAILABLE` */
  async forgetToken(account: Account, device?: string): Promise<void> {
    await this.#tokens.remove(account, device);
  }

  /** Nobody who waits is let in any more, and nobody who comes later. */
  close(): void {
    this.#line.close();
    this.#wrongTokenLine.close();
  }

  /** @param account as it was when somebody showed that it is theirs: under another password the token is worth nothing */
  async #store(account: Account, token: Uint8Array, device?: string): Promise<ResumeToken> {
    const tokenExpiresAt = Date.now() + this.#limits.resumeMs;
    const passwordId = passwordIdOf(account.credential);
    await this.#tokens.put(
      account,
      { tokenHash: hashOf(token), expiresAt: tokenExpiresAt, passwordId },
      device,
    );
    return { token, tokenExpiresAt };
  }
}

export const NO_RESUMPTION = 'That login cannot be continued: log in again.';

/** Whether a token that is stored may let somebody in. */
function isGood(account: Account, device: string | undefined, { passwordId }: StoredToken): boolean {
  if (!devicesOf(account).includes(device)) return false;
  return passwordId === undefined || passwordId === passwordIdOf(account.credential);
}

function workOf(claim: Claim, lane: LaneName, waitMs: Work['waitMs']): Work {
  const { name, address, hasEnded, hasErred, whenGone } = claim;
  return { lane, name, address, waitMs, hasEnded, hasErred: hasErred(), whenGone };
}

/** Nobody waits for the answer to a caller who is gone. @returns 0 */
function demandThere({ isGone }: Claim): number {
  if (isGone()) throw new ProtocolError('UNAVAILABLE');
  return 0;
}

function hashOf(token: Uint8Array): Buffer {
  return createHash('sha256').update(token).digest();
}
