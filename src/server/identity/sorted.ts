/**
 * Items in the order of a number that each of them has; of equal ones, in the order of their coming. For some thousands:
 * whoever comes or goes moves what is behind.
 */
export class Sorted<Item> {
  readonly #numberOf: (item: Item) => number;
  readonly #items: Item[] = [];

  /** @param numberOf must not change while the item is in */
  constructor(numberOf: (item: Item) => number) {
    this.#numberOf = numberOf;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    const number = this.#numberOf(item);
    this.#items.splice(
      this.#firstIndex((other) => other > number),
      0,
      item,
    );
  }

  /** @returns whether it was in */
  delete(item: Item): boolean {
    const number = this.#numberOf(item);
    const index = this.#items.indexOf(
      item,
      this.#firstIndex((other) => other >= number),
    );
    if (index >= 0) this.#items.splice(index, 1);
    return index >= 0;
  }

  /** Of the items for which this is so, and for all behind them; their number if there is none. */
  #firstIndex(isSo: (number: number) => boolean): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.#items[middle];
      if (item === undefined || isSo(this.#numberOf(item))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
