import { type Account, type Accounts, isSameLife } from '../../core/accounts.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { TokenBucket } from '../../util/token-buckets.ts';
import type { Limits } from '../limits.ts';
import { type Place, Places } from '../net/places.ts';

/** So often accounts are looked at, milliseconds: no account's login outlives it, or its password, by more. */
const CHECK_MS = 1_000;

/** One login that only sends. */
export interface SendOnlyLogin {
  /** What all such logins of the account together may send. */
  readonly rate: TokenBucket;
  /** It asks for something: others make room before it. */
  used(): void;
  /** It is over. */
  leave(): void;
}

interface Login {
  /** As it was when somebody proved that it is theirs. */
  readonly account: Account;
  readonly end: (farewell: ProtocolError) => void;
}

/** The logins of one name. */
interface Group {
  readonly rate: TokenBucket;
  readonly logins: Set<Login>;
}

/**
 * Logins that only send. No inbox is taken for them, so no takeover ends them: they end with their account, and with the
 * password by which they may have come in. Bounded for each account and in all: where there are as many as may be, the
 * one that was idle for longest makes room, of the account that has most.
 */
export class Senders {
  readonly #accounts: Pick<Accounts, 'get'>;
  readonly #limits: Limits;
  readonly #places: Places;
  readonly #groups = new Map<string, Group>();
  #timer: NodeJS.Timeout | null = null;

  constructor(accounts: Pick<Accounts, 'get'>, limits: Limits) {
    this.#accounts = accounts;
    this.#limits = limits;
    this.#places = new Places({ all: limits.senders, perAddress: limits.sendersPerAccount });
  }

  /** @param end called at most once, when the login has to end */
  enter(account: Account, end: (farewell: ProtocolError) => void): SendOnlyLogin {
    const { name } = account;
    const login: Login = { account, end };
    const place = this.#place(name, () =>
      end(new ProtocolError('BUSY', NO_ROOM, { retryAfterMs: CHECK_MS })),
    );
    const group = this.#groups.get(name) ?? this.#newGroup();
    this.#groups.set(name, group);
    group.logins.add(login);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS);
    return {
      rate: group.rate,
      used: () => place.isStrangers(true),
      leave: () => {
        place.leave();
        group.logins.delete(login);
        if (group.logins.size > 0 || this.#groups.get(name) !== group) return;
        this.#groups.delete(name);
        if (this.#groups.size === 0) this.close();
      },
    };
  }

  /** Nobody is looked at any more. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #place(name: string, evict: () => void): Place {
    const place = this.#places.take(name, evict);
    // Everybody here makes room, so there always is some.
    if (typeof place === 'string') throw new Error('logins that only send are not allowed here');
    return place;
  }

  #newGroup(): Group {
    const { sendBurst: burst, sendsPerSecond: perSecond } = this.#limits;
    return { rate: new TokenBucket({ burst, perSecond }), logins: new Set() };
  }

  #check(): void {
    for (const [name, { logins }] of this.#groups) {
      const account = this.#accounts.get(name);
      for (const login of logins) {
        const farewell = farewellOf(login.account, account);
        if (farewell !== null) login.end(farewell);
      }
    }
  }
}

const NO_ROOM = 'Others that only send needed the place.';

/** Why a login that began with an account as it was `then` may not go on; null if it may. */
function farewellOf(then: Account, now: Account | undefined): ProtocolError | null {
  if (!isSameLife(now, then))
    return new ProtocolError('NO_SUCH_USER', 'Your login has ended: the account was removed.');
  if (now.disabled) return new ProtocolError('BAD_CREDENTIALS', `The account ${now.name} is disabled.`);
  if (now.credential === then.credential) return null;
  return new ProtocolError('BAD_CREDENTIALS', 'Your login has ended: the password was changed.');
}
