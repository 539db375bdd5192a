import type { Marker } from '../wire/log-batch.ts';
import type { Change } from './table-state.ts';

/** Changes of one open transaction that are remembered; ours have one. */
const MAX_CHANGES = 16;
/** Transactions open at the same time that are remembered. */
const MAX_TRANSACTIONS = 10_000;

/**
 * Changes of a table whose transactions have no marker yet, by producer. What is over a bound is dropped: the further changes
 * of one transaction, and the oldest transaction as a whole.
 */
export class OpenTransactions {
  readonly #transactions = new Map<number, Change[]>();
  /** Of each key the change that was read last: those before it are hidden already. */
  readonly #latest = new Map<string, Change>();
  readonly #dropped: (change: Change) => void;

  /** @param dropped hears of each change that is remembered no longer, though it may count one day */
  constructor(dropped: (change: Change) => void) {
    this.#dropped = dropped;
  }

  /** Some record of this key was read: a compaction keeps it instead of those before it, whenever they come to count. */
  noteRecord(key: string): void {
    const change = this.#latest.get(key);
    if (change) change.isHidden = true;
  }

  add(producerId: number, change: Change): void {
    const changes = this.#transactions.get(producerId) ?? [];
    if (changes.length >= MAX_CHANGES) {
      this.#dropped(change);
      return;
    }
    changes.push(change);
    this.#latest.set(change.key, change);
    this.#transactions.set(producerId, changes);
    if (this.#transactions.size <= MAX_TRANSACTIONS) return;
    for (const oldest of this.#transactions.keys()) {
      for (const forgotten of this.#take(oldest)) this.#dropped(forgotten);
      break;
    }
  }

  /**
   * Ends a producer's transaction.
   * @returns the changes that count now, in their order
   */
  end({ producerId, isCommit }: Marker): readonly Change[] {
    const changes = this.#take(producerId);
    return isCommit ? changes : [];
  }

  clear(): void {
    this.#transactions.clear();
    this.#latest.clear();
  }

  #take(producerId: number): readonly Change[] {
    const changes = this.#transactions.get(producerId) ?? [];
    this.#transactions.delete(producerId);
    for (const change of changes) {
      if (this.#latest.get(change.key) === change) this.#latest.delete(change.key);
    }
    return changes;
  }
}
