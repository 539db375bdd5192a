import { type Account, type Accounts, isSameLife } from '../../core/accounts.ts';
import { devicesOf } from '../../core/devices.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { passwordIdOf } from './passwords.ts';

/** What a login was let in by. */
interface Grounds {
  readonly account: Account;
  /** Of the password that the account had when somebody showed that it is theirs (`passwordIdOf`). */
  readonly passwordId: string;
  /** Undefined: the main one. */
  readonly device: string | undefined;
  /** The inbox says when the account is gone, and one that may not be used any more keeps it until then. */
  readonly hasInbox: boolean;
}

/** Ends a login, through whichever server, once what it was let in by does not hold any more. */
export class LoginGrounds {
  readonly #accounts: Pick<Accounts, 'get' | 'watch'>;
  readonly #grounds: Grounds;
  /** The one that it was let in by, or that it has set since; while one is being set both. */
  #passwordIds: readonly string[];
  readonly #end: (farewell: ProtocolError) => void;
  readonly #unwatch: () => void;

  /** @param end called when the login has to end, for the first time perhaps at once */
  constructor(
    accounts: Pick<Accounts, 'get' | 'watch'>,
    grounds: Grounds,
    end: (farewell: ProtocolError) => void,
  ) {
    this.#accounts = accounts;
    this.#grounds = grounds;
    this.#passwordIds = [grounds.passwordId];
    this.#end = end;
    this.#unwatch = accounts.watch(grounds.account.name, () => this.#look());
    // What has changed while it was let in.
    this.#look();
  }

  /** The login is about to give its account this password, which ends all others and not this one. */
  sets(credential: string): void {
    const { name } = this.#grounds.account;
    const before = this.#accounts.get(name)?.credential ?? null;
    this.#passwordIds = [passwordIdOf(before), passwordIdOf(credential)];
  }

  close(): void {
    this.#unwatch();
  }

  #look(): void {
    const farewell = this.#farewell(this.#accounts.get(this.#grounds.account.name));
    if (farewell !== null) this.#end(farewell);
  }

  #farewell(now: Account | undefined): ProtocolError | null {
    const { account, device, hasInbox } = this.#grounds;
    if (!isSameLife(now, account)) {
      if (hasInbox) return null;
      return new ProtocolError('NO_SUCH_USER', 'Your login has ended: the account was removed.');
    }
    if (now.disabled && !hasInbox)
      return new ProtocolError('BAD_CREDENTIALS', `The account ${now.name} is disabled.`);
    if (!devicesOf(now).includes(device))
      return new ProtocolError('REPLACED', 'Your login has ended: the device was forgotten.');
    if (this.#passwordIds.includes(passwordIdOf(now.credential))) return null;
    return new ProtocolError('BAD_CREDENTIALS', 'Your login has ended: the password was changed.');
  }
}
