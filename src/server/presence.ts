import { type Account, isSameLife } from '../core/accounts.ts';
import type { Inboxes } from '../core/inboxes.ts';
import type { Principal } from './commands/context.ts';
import type { Limits } from './limits.ts';

/** Somebody's login, as far as it matters here. */
type Login = Pick<Principal, 'account'>;

interface Entry {
  readonly login: Login;
  /** Set once the session is on its way out. */
  readonly left: Promise<void> | null;
}

interface Question {
  readonly account: Account;
  readonly answer: (loggedIn: boolean) => void;
}

/**
 * Who is logged in: here by this frontend's own table, elsewhere by asking Kafka, many questions in one request.
 * The table has at most one entry per connection, so the cap on connections is its bound.
 */
export class PresenceRegistry {
  readonly #inboxes: Pick<Inboxes, 'held'>;
  readonly #limits: Limits;
  readonly #here = new Map<string, Entry>();
  #questions: Question[] = [];
  #asking = false;

  constructor(inboxes: Pick<Inboxes, 'held'>, limits: Limits) {
    this.#inboxes = inboxes;
    this.#limits = limits;
  }

  /** Somebody logged in through this frontend. */
  entered(login: Login): void {
    this.#here.set(login.account.name, { login, left: null });
  }

  /** A session on this frontend is leaving; `left` settles when its inbox is given back. */
  leaving(login: Login, left: Promise<unknown>): void {
    const { name } = login.account;
    // Whoever took the inbox over on this very frontend is not the one who leaves.
    if (this.#here.get(name)?.login !== login) return;
    const forget = () => {
      if (this.#here.get(name) === entry) this.#here.delete(name);
    };
    const entry: Entry = { login, left: left.then(forget, forget) };
    this.#here.set(name, entry);
  }

  /** The end of a session of this name that is just leaving this frontend, if there is one. */
  leave(name: string): Promise<void> | null {
    return this.#here.get(name)?.left ?? null;
  }

  /** Whether this life of the account is logged in through this frontend. */
  isHere(account: Account): boolean {
    const entry = this.#here.get(account.name);
    return entry !== undefined && entry.left === null && isSameLife(entry.login.account, account);
  }

  /** Never fails: where Kafka gives no answer in time, the person counts as not logged in. */
  isLoggedIn(account: Account): Promise<boolean> {
    if (this.isHere(account)) return Promise.resolve(true);
    if (this.#questions.length >= this.#limits.presenceQuestions) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#limits.presenceMs, false);
      this.#questions.push({
        account,
        answer: (loggedIn) => {
          clearTimeout(timer);
          resolve(loggedIn);
        },
      });
      void this.#ask();
    });
  }

  /** One request at a time; the next one takes along every question that came meanwhile. */
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    // Messages go first: their recipients wait for them, and only an answer waits for this.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#questions.length > 0) {
      const batch = this.#questions.splice(0, this.#limits.presenceBatch);
      let held: boolean[] = [];
      try {
        held = await this.#inboxes.held(batch.map(({ account }) => account));
      } catch {
        // Kafka does not say: the message is stored all the same, and "queued" is never wrong.
      }
      for (const [i, { answer }] of batch.entries()) answer(held[i] === true);
    }
    this.#asking = false;
  }
}
