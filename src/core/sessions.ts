import type { Account } from './accounts.ts';

/** What is kept of a login, so that its client can come back through any frontend without a password. */
export interface StoredSession {
  /** SHA-256 of the resume token, 32 bytes: who reads the topic cannot resume anything. */
  readonly tokenHash: Buffer;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * The door to the resume tokens: at most one per account, that of its latest login. Only the holder of the account's
 * inbox writes here, so writes for one account never race.
 */
export interface Sessions {
  /** Replaces the account's session. Resolves when Kafka has it. @throws EngineError `BUSY`, `UNAVAILABLE` */
  put(account: Account, session: StoredSession): Promise<void>;

  /**
   * The session of this life of the account, as of now: also one that another frontend has just stored. Expired ones
   * are not returned.
   * @throws EngineError `UNAVAILABLE`
   */
  find(account: Account): Promise<StoredSession | undefined>;

  /** Forgets the account's session. @throws EngineError `BUSY`, `UNAVAILABLE` */
  remove(account: Account): Promise<void>;
}
