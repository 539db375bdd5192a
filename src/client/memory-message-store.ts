import type { Message } from '../protocol/v2/replies.ts';
import type { Identity } from './identity.ts';
import type { Entry } from './outbox.ts';
import { Seen } from './seen.ts';
import type { MessageStore } from './store.ts';

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
    this.#accounts.delete(incarnation);
    this.#accounts.set(incarnation, this.#current);
    dropOldest(this.#accounts, MAX_ACCOUNTS);
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

function dropOldest<Key>(map: Map<Key, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}
