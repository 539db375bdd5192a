import type { Accounts } from '../../core/accounts.ts';
import type { ClusterKey } from '../../core/cluster-key.ts';
import { type Invite, readInvite } from '../../core/invite.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { TokenBucket, TokenBuckets } from '../../util/token-buckets.ts';
import type { Limits } from '../limits.ts';

export interface RegistrationOptions {
  /** Who may make accounts: anybody, whoever has an invite, nobody. */
  readonly mode: 'open' | 'invite' | 'closed';
  /** Accounts in all. */
  readonly maxAccounts: number;
  /** What invites are known by. */
  readonly keys: readonly ClusterKey[];
}

/** Permission to make one account. One of the two is called, once: until then it counts as an account. */
export interface Permit {
  readonly invite: Invite | null;
  /** The account was made, or may have been. */
  use(): void;
  /** None was made. */
  giveBack(): void;
}

/**
 * Who may make an account, and how many. Each is a topic, which costs Kafka memory for as long as it exists: so there is
 * a bound in all, one for each address, and one for all addresses together, by the hour.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #accounts: Pick<Accounts, 'size'>;
  readonly #perAddress: TokenBuckets;
  readonly #inAll: TokenBucket;
  /** Permits of which nobody knows yet what comes of them. What was just made counts twice for a moment, never too little. */
  #outstanding = 0;

  constructor(accounts: Pick<Accounts, 'size'>, options: RegistrationOptions, limits: Limits) {
    this.#accounts = accounts;
    this.#options = options;
    this.#perAddress = new TokenBuckets(hourly(limits.newAccountsPerAddress), limits.rateKeys);
    this.#inAll = new TokenBucket(hourly(limits.newAccounts));
  }

  /**
   * @param address what stands for the caller's address
   * @param invite as the caller gave it: nothing about it is sure; null for none
   * @throws ProtocolError `REGISTRATION_CLOSED`, `RATE_LIMITED`
   */
  demandPermit(address: string, invite: string | null): Permit {
    const known = this.#demandInvited(invite);
    // What other frontends make at this moment, and what Kafka has not answered for, may go beyond it.
    if (this.#accounts.size + this.#outstanding >= this.#options.maxAccounts) {
      throw closed('This server has as many accounts as it may have: ask its operator.');
    }
    const here = this.#perAddress.take(address);
    if (here > 0) throw tooMany('from your address', here);
    const everywhere = this.#inAll.take();
    if (everywhere > 0) {
      this.#perAddress.giveBack(address);
      throw tooMany('on this server', everywhere);
    }
    this.#outstanding += 1;
    return {
      invite: known,
      use: () => {
        this.#outstanding -= 1;
      },
      giveBack: () => {
        this.#outstanding -= 1;
        this.#perAddress.giveBack(address);
        this.#inAll.giveBack();
      },
    };
  }

  #demandInvited(text: string | null): Invite | null {
    const { mode, keys } = this.#options;
    if (mode === 'closed') throw closed('This server makes no new accounts: ask its operator for one.');
    // Whoever may come without one needs no right one.
    if (mode === 'open') return null;
    if (text === null) {
      const text = 'This server makes accounts by invitation only: ask its operator for an invite, then';
      throw closed(`${text}  milena create NAME --invite INVITE`);
    }
    const invite = readInvite(keys, text);
    if (invite === null) throw closed('That is no invite of this server: ask its operator for one.');
    if (invite.endsAt <= Date.now()) throw closed('That invite is over: ask the operator for another one.');
    return invite;
  }
}

function closed(text: string): ProtocolError {
  return new ProtocolError('REGISTRATION_CLOSED', text);
}

function tooMany(where: string, retryAfterMs: number): ProtocolError {
  const text = `Too many new accounts were made ${where}: try again later.`;
  return new ProtocolError('RATE_LIMITED', text, { retryAfterMs });
}

/** So many at once, and as many within an hour. */
function hourly(count: number) {
  return { burst: count, perSecond: count / 3_600 };
}
