import { type Account, isSameLife } from '../../core/accounts.ts';
import type { ResumeTokens, StoredToken } from '../../core/resume-tokens.ts';
import type { MemoryStore } from './memory-store.ts';

/** The resume tokens, in memory: one for each account at most. */
export class MemoryResumeTokens implements ResumeTokens {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async put({ name, incarnation }: Account, { tokenHash, expiresAt }: StoredToken): Promise<void> {
    this.#store.tokens.set(name, { incarnation, token: { tokenHash: Buffer.from(tokenHash), expiresAt } });
  }

  async find(account: Account): Promise<StoredToken | undefined> {
    const stored = this.#store.tokens.get(account.name);
    return isSameLife(stored, account) && stored.token.expiresAt > Date.now() ? stored.token : undefined;
  }

  async remove(account: Account): Promise<void> {
    if (isSameLife(this.#store.tokens.get(account.name), account)) this.#store.tokens.delete(account.name);
  }
}
