import type { Identity } from './identity.ts';
import type { Entry } from './outbox.ts';

/** A sent message whose fate was not final when it was last heard of: unanswered if it has no receipt. */
export type Unsettled = Entry;

/**
 * What outlives the process. The client only reads it; whoever shows messages writes, from the client's events: a
 * `message` once it was shown, and then `Client.shown`; an `entered` one, and an `outgoing` one at each change.
 */
export interface Memory {
  /** An account is logged in to, before any of its messages comes. The account's life may be another than before. */
  begin(identity: Pick<Identity, 'name' | 'incarnation' | 'inbox'>): void;
  /** What was told so far is durable when this returns. */
  commit(): void;
  /** Whether a message was shown in an earlier process; `key` as `messageKey` makes it. */
  hasSeen(key: string): boolean;
  /** What this life of the account sent, oldest first: first of all what the server has not answered. */
  unsettled(): readonly Unsettled[];
}
