import type { Logger } from 'pino';
import type { Account, Accounts } from '../../kafka/accounts.ts';
import type { Inbox, Inboxes, OpenOptions } from '../../kafka/inboxes.ts';
import type { Limits } from '../limits.ts';
import type { Presence } from '../presence.ts';
import type { Turnstile } from '../turnstile.ts';
import type { Version } from '../versions.ts';

/** What all handlers of a frontend share. */
export interface Services {
  readonly accounts: Accounts;
  readonly inboxes: Inboxes;
  readonly presence: Presence;
  /** For giving inboxes back: many people may leave at the same moment. */
  readonly exit: Turnstile;
  /** Whether accounts without a password may be made and used here. */
  readonly openAccounts: boolean;
  readonly limits: Limits;
  readonly log: Logger;
}

/** Where the messages of somebody who logs in go, and in which version. */
export interface Caller {
  readonly version: Version;
  readonly delivery: Pick<OpenOptions, 'onMessage' | 'onLost'>;
}

/** What somebody has who is logged in. */
export interface Seat {
  readonly account: Account;
  readonly inbox: Inbox;
}
