import type { Account } from '../../src/core/accounts.ts';
import type { Sessions, StoredSession } from '../../src/core/sessions.ts';
import type { MemoryCluster } from './cluster.ts';

/** The door to the resume tokens over a fake cluster. */
export class MemorySessions implements Sessions {
  readonly #cluster: MemoryCluster;

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  async put({ name, incarnation }: Account, session: StoredSession): Promise<void> {
    await this.#cluster.roundTrip();
    const { tokenHash, expiresAt } = session;
    this.#cluster.sessions.set(name, {
      incarnation,
      session: { tokenHash: Buffer.from(tokenHash), expiresAt },
    });
  }

  async find({ name, incarnation }: Account): Promise<StoredSession | undefined> {
    await this.#cluster.roundTrip();
    const stored = this.#cluster.sessions.get(name);
    if (stored === undefined || stored.incarnation !== incarnation) return undefined;
    return stored.session.expiresAt > Date.now() ? stored.session : undefined;
  }

  async remove({ name, incarnation }: Account): Promise<void> {
    await this.#cluster.roundTrip();
    if (this.#cluster.sessions.get(name)?.incarnation === incarnation) this.#cluster.sessions.delete(name);
  }
}
