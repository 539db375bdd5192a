/** How far a client has come: one that has asked for little so far goes before those of its address that have asked for much. */
export type Age = 'fresh' | 'known';

/** Those of one address who wait, in the order in which they came. */
type Waiting<Item> = Readonly<Record<Age, Set<Item>>>;

/**
 * A line that serves one address after the other, however many wait behind each: who comes from an address where
 * thousands wait does not hold up anybody else. What waits is bounded by who may come: one item for each connection.
 */
export class FairLine<Item> {
  /** In the order in which the addresses are served; none without an item. */
  readonly #addresses = new Map<string, Waiting<Item>>();
  /** Those who wait. */
  size = 0;

  /** @param item not in the line yet */
  push(address: string, item: Item, age: Age = 'known'): void {
    let waiting = this.#addresses.get(address);
    if (waiting === undefined) {
      waiting = { fresh: new Set(), known: new Set() };
      this.#addresses.set(address, waiting);
    }
    waiting[age].add(item);
    this.size += 1;
  }

  /** The next one, of the address whose turn it is. */
  shift(): Item | undefined {
    for (const [address, waiting] of this.#addresses) {
      const line = waiting.fresh.size > 0 ? waiting.fresh : waiting.known;
      // To the end of the line, if somebody else of this address waits.
      this.#addresses.delete(address);
      if (waiting.fresh.size + waiting.known.size > 1) this.#addresses.set(address, waiting);
      for (const item of line) {
        line.delete(item);
        this.size -= 1;
        return item;
      }
    }
    return undefined;
  }

  /** Whoever does not wait any more, if it did. */
  remove(address: string, item: Item): void {
    const waiting = this.#addresses.get(address);
    if (waiting === undefined || !(waiting.fresh.delete(item) || waiting.known.delete(item))) return;
    this.size -= 1;
    if (waiting.fresh.size + waiting.known.size === 0) this.#addresses.delete(address);
  }
}
