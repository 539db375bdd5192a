import { type Account, isSameLife } from '../../src/core/accounts.ts';
import type { ResumeTokens, StoredToken } from '../../src/core/resume-tokens.ts';
import type { MemoryCluster } from './cluster.ts';

/** The door to the resume tokens over a fake cluster. */
export class MemoryTokens implements ResumeTokens {
  readonly #cluster: MemoryCluster;

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  async put({ name, incarnation }: Account, token: StoredToken): Promise<void> {
    await this.#cluster.roundTrip();
    const { tokenHash, expiresAt } = token;
    this.#cluster.tokens.set(name, {
      incarnation,
      token: { tokenHash: Buffer.from(tokenHash), expiresAt },
    });
  }

  async find(account: Account): Promise<StoredToken | undefined> {
    await this.#cluster.roundTrip();
    const stored = this.#cluster.tokens.get(account.name);
    if (!isSameLife(stored, account)) return undefined;
    return stored.token.expiresAt > Date.now() ? stored.token : undefined;
  }

  async remove(account: Account): Promise<void> {
    await this.#cluster.roundTrip();
    const { tokens } = this.#cluster;
    if (isSameLife(tokens.get(account.name), account)) tokens.delete(account.name);
  }
}
