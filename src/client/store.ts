import type { Message } from '../protocol/v2/replies.ts';
import { dropOldest, putLast } from '../util/bounded-map.ts';
import type { Identity } from './identity.ts';
import type { Entry } from './outbox.ts';
import { Seen } from './seen.ts';

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
  /** A message is new in the outbox, to a name or to a room; `commit` is called before it goes out. */
  sent?(entry: Entry): void;
  /** What became of a message. */
  changed?(entry: Entry): void;
  /** A message of the inbox or of its `room` was acknowledged: durable when this returns, or it may be shown again. @param key as `messageKey` makes it */
  received?(message: Message, key: string): void;
}

/** Sent messages whose fate is not known, of one account: as many as an outbox has. With one more the oldest is forgotten. */
const MAX_UNSETTLED = 2_200;
/** Accounts that are remembered; with one more the one that began longest ago is forgotten. */
const MAX_ACCOUNTS = 100;
const SETTLED: ReadonlySet<Entry['state']['kind']> = new Set([
  'delivered',
  'undeliverable',
  'refused',
  'unsure',
]);

interface Remembered {
  readonly unsettled: Map<string, Entry>;
  readonly seen: Seen;
}

/**
 * A store in memory: what one connection has left, the next one of the same process goes on with. Bounded: see the constants,
 * and `Seen`.
 */
export class MemoryMessageStore implements MessageStore {
  readonly #accounts = new Map<string, Remembered>();
  #current: Remembered | undefined;

  begin({ incarnation }: Pick<Identity, 'name' | 'incarnation' | 'inbox'>): void {
    this.#current = this.#accounts.get(incarnation) ?? { unsettled: new Map(), seen: new Seen() };
    putLast(this.#accounts, incarnation, this.#current, MAX_ACCOUNTS);
  }

  commit(): void {
    // Nothing here is durable.
  }

  hasSeen(key: string): boolean {
    return this.#current?.seen.has(key) ?? false;
  }

  unsettled(): readonly Entry[] {
    return [...(this.#current?.unsettled.values() ?? [])];
  }

  sent(entry: Entry): void {
    this.changed(entry);
  }

  changed(entry: Entry): void {
    const unsettled = this.#current?.unsettled;
    if (unsettled === undefined) return;
    const isStored = entry.state.kind === 'stored';
    // Without a receipt nobody can ask for it.
    if (SETTLED.has(entry.state.kind) || (isStored && entry.receipt === null)) unsettled.delete(entry.id);
    else unsettled.set(entry.id, entry);
    dropOldest(unsettled, MAX_UNSETTLED);
  }

  received(_message: Message, key: string): void {
    this.#current?.seen.add(key);
  }
}
