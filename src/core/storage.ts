import type { Account, Accounts } from './accounts.ts';
import type { Inboxes } from './inboxes.ts';
import type { Rooms } from './rooms.ts';

/**
 * Where a server keeps what outlives its connections. Whatever has these doors is a storage that a server can run on;
 * test/contracts says what each of them promises.
 */
export interface Storage {
  readonly accounts: Accounts;
  readonly inboxes: Inboxes;
  readonly rooms: Rooms;
  readonly tokens: ResumeTokens;
  /** Answers what is under way, stores what was acknowledged and gives back every inbox. Never throws. */
  close(): Promise<void>;
}

/** What is kept of a login, so that its client can come back through any server without a password. */
export interface StoredToken {
  /** SHA-256 of the resume token, 32 bytes: who reads the storage cannot resume anything. */
  readonly tokenHash: Buffer;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Of the password that the account had when it was issued: with another one it is worth nothing. Absent where nobody knows. */
  readonly passwordId?: string | undefined;
}

/**
 * The door to the resume tokens: at most one for each device of an account, that of its latest login; the main device has no name.
 * Only who holds a device's inbox writes here, so writes for one never race.
 */
export interface ResumeTokens {
  /** Replaces the device's token. Resolves when it is stored. @throws EngineError `BUSY`, `UNAVAILABLE` */
  put(account: Account, token: StoredToken, device?: string): Promise<void>;

  /**
   * The device's token of this life of the account, as of now: also one that another server has just stored. Expired ones
   * are not returned.
   * @throws EngineError `UNAVAILABLE`
   */
  find(account: Account, device?: string): Promise<StoredToken | undefined>;

  /** Forgets the device's token. @throws EngineError `BUSY`, `UNAVAILABLE` */
  remove(account: Account, device?: string): Promise<void>;
}
