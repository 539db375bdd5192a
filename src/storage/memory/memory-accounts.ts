import {
  type Account,
  type AccountChange,
  type AccountChanger,
  type Accounts,
  changed,
  type ListOptions,
  type NewAccount,
} from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import { NameSearches } from '../../core/wildcard.ts';
import { newUuid } from '../../util/uuid.ts';
import type { MemoryStore } from './memory-store.ts';

/** Longest name, in characters. */
const LONGEST_NAME = 32;

/** The accounts, in memory: every change is seen by everybody at once. */
export class MemoryAccounts implements Accounts {
  readonly #store: MemoryStore;
  readonly #searches: NameSearches;

  constructor(store: MemoryStore) {
    this.#store = store;
    this.#searches = new NameSearches(store.names, LONGEST_NAME);
  }

  get size(): number {
    return this.#store.accounts.size;
  }

  get(name: string): Account | undefined {
    return this.#store.accounts.get(name);
  }

  find(name: string): Promise<Account | undefined> {
    return this.findEvenly(name);
  }

  async findEvenly(name: string): Promise<Account | undefined> {
    return this.get(name);
  }

  watch(name: string, changed: () => void): () => void {
    return this.#store.accountWatchers.watch(name, changed);
  }

  async create({ name, displayName, credential, invite }: NewAccount): Promise<Account> {
    if (this.get(name) !== undefined) throw new EngineError('USERNAME_TAKEN', `${name} is taken`);
    if (invite && this.#madeWith(invite.id) >= invite.uses)
      throw new EngineError('INVITE_USED', 'the invite was used as often as it may be');
    const account: Account = {
      name,
      incarnation: newUuid(),
      topicId: this.#store.newMailbox(),
      displayName: displayName ?? null,
      credential: credential ?? null,
      disabled: false,
      blocked: [],
      createdAt: Date.now(),
      ...(invite && { invite: invite.id }),
    };
    this.#store.putAccount(account);
    return account;
  }

  async update(account: Account, change: AccountChange | AccountChanger): Promise<Account> {
    const made = changed(this.#store.demandAccount(account), change);
    this.#store.putAccount(made);
    return made;
  }

  async mend(account: Account): Promise<Account> {
    const current = this.#store.demandAccount(account);
    if (this.#store.mailboxes.has(current.topicId)) return current;
    const mended = { ...current, topicId: this.#store.newMailbox(), inboxLife: newUuid() };
    this.#store.putAccount(mended);
    return mended;
  }

  async remove(account: Account): Promise<void> {
    this.#store.removeAccount(this.#store.demandAccount(account));
  }

  list(pattern: string, { after, limit, inSteps }: ListOptions = {}): Promise<string[]> {
    return this.#searches.find(pattern, after, limit ?? Number.POSITIVE_INFINITY, inSteps);
  }

  /** Looks at all of them: invites are rare, and so many accounts as fit into memory are looked at in a moment. */
  #madeWith(invite: string): number {
    let made = 0;
    for (const account of this.#store.accounts.values()) if (account.invite === invite) made += 1;
    return made;
  }
}
