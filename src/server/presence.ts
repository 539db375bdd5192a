import { setImmediate as turnEnd } from 'node:timers/promises';
import { type Account, isSameLife } from '../core/accounts.ts';
import { deviceKey, devicesOf } from '../core/devices.ts';
import type { Inbox, Inboxes } from '../core/inboxes.ts';
import { RequestBatcher } from '../util/request-batcher.ts';
import type { Limits } from './limits.ts';

/** Somebody's login, as far as it matters here. */
interface Login {
  readonly account: Account;
  readonly inbox: Pick<Inbox, 'device'> | null;
}

interface Entry {
  readonly login: Login;
  /** Set once the session is on its way out. */
  readonly left: Promise<void> | null;
}

/**
 * Who is logged in, with any device: here by this frontend's own table, elsewhere by asking Kafka, many questions in one request.
 * The table has at most one entry per connection, so the cap on connections is its bound.
 */
export class PresenceRegistry {
  readonly #limits: Limits;
  /** By `deviceKey`. */
  readonly #here = new Map<string, Entry>();
  readonly #questions: RequestBatcher<Account, boolean>;

  constructor(inboxes: Pick<Inboxes, 'held'>, limits: Limits) {
    this.#limits = limits;
    // Messages go first: their recipients wait for them, and only an answer waits for this.
    this.#questions = new RequestBatcher(limits.presenceBatch, (some) => inboxes.held(some), turnEnd);
  }

  /** Somebody logged in through this frontend. */
  entered(login: Login): void {
    this.#here.set(keyOf(login), { login, left: null });
  }

  /** A session on this frontend is leaving; `left` settles when its inbox is given back. */
  leaving(login: Login, left: Promise<unknown>): void {
    const key = keyOf(login);
    // Whoever took the inbox over on this very frontend is not the one who leaves.
    if (this.#here.get(key)?.login !== login) return;
    const forget = () => {
      if (this.#here.get(key) === entry) this.#here.delete(key);
    };
    const entry: Entry = { login, left: left.then(forget, forget) };
    this.#here.set(key, entry);
  }

  /** The end of a session with this device that is just leaving this frontend, if there is one. */
  leave(account: Account, device: string | undefined): Promise<void> | null {
    return this.#here.get(deviceKey(account, device))?.left ?? null;
  }

  /** Those logged in through this frontend with a device other than the main one. */
  *devices(): Generator<{ readonly account: Account; readonly device: string }> {
    for (const { login, left } of this.#here.values()) {
      const device = login.inbox?.device;
      if (device !== undefined && left === null) yield { account: login.account, device };
    }
  }

  /** Whether this life of the account is logged in through this frontend. */
  isHere(account: Account): boolean {
    if (this.#isHere(account, account.name)) return true;
    return (
      account.devices !== undefined &&
      devicesOf(account).some((device) => this.#isHere(account, deviceKey(account, device)))
    );
  }

  #isHere(account: Account, key: string): boolean {
    const entry = this.#here.get(key);
    return entry !== undefined && entry.left === null && isSameLife(entry.login.account, account);
  }

  /** Never fails: where Kafka gives no answer in time, the person counts as not logged in, and "queued" is never wrong. */
  async isLoggedIn(account: Account): Promise<boolean> {
    if (this.isHere(account)) return true;
    if (this.#questions.waiting >= this.#limits.presenceQuestions) return false;
    const { promise: tooLate, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, this.#limits.presenceMs, false);
    const isHeld = this.#questions.ask(account).catch(() => false);
    return Promise.race([isHeld, tooLate]).finally(() => clearTimeout(timer));
  }
}

function keyOf({ account, inbox }: Login): string {
  return deviceKey(account, inbox?.device);
}
