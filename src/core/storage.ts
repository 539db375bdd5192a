import type { Accounts } from './accounts.ts';
import type { Inboxes } from './inboxes.ts';
import type { ResumeTokens } from './resume-tokens.ts';

/**
 * Where a server keeps what outlives its connections. Whatever has these doors is a storage that a server can run on;
 * test/contracts says what each of them promises.
 */
export interface Storage {
  readonly accounts: Accounts;
  readonly inboxes: Inboxes;
  readonly tokens: ResumeTokens;
  /** Whether it can be relied upon now. While it cannot, nothing is pushed; what is asked for may fail as `UNAVAILABLE`. */
  readonly isHealthy: boolean;
  /** Answers what is under way, stores what was acknowledged and gives back every inbox. Never throws. */
  close(): Promise<void>;
}
