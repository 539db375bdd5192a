import type { Message } from '../protocol/v2/replies.ts';
import type { Identity } from './identity.ts';
import type { Entry } from './outbox.ts';

/** A sent message whose fate was not final when it was last heard of: unanswered if it has no receipt. */
export type Unsettled = Entry;

/**
 * What outlives the process. A `Client` only reads it; whoever shows messages writes, from the client's events: a `message`
 * once it was shown, and then `Client.shown`; an `entered` one, and an `outgoing` one at each change. What `connect` gives
 * writes it itself, by `sent`, `changed` and `received`.
 */
export interface MessageStore {
  /** An account is logged in to, before any of its messages comes. The account's life may be another than before. */
  begin(identity: Pick<Identity, 'name' | 'incarnation' | 'inbox'>): void;
  /** What was told so far is durable when this returns. */
  commit(): void;
  /** Whether a message was shown in an earlier process; `key` as `messageKey` makes it. */
  hasSeen(key: string): boolean;
  /** What this life of the account sent, oldest first: first of all what the server has not answered. */
  unsettled(): readonly Unsettled[];
  /** A message is new in the outbox; `commit` is called before it goes out. */
  sent?(entry: Entry): void;
  /** What became of a message. */
  changed?(entry: Entry): void;
  /** A message was acknowledged: durable when this returns, or it may be shown again. @param key as `messageKey` makes it */
  received?(message: Message, key: string): void;
}
