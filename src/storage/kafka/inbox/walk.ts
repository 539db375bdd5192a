/** Goes along the values of a map again and again, some at a time: ten thousand at once would be felt. */
export class Walk<Value> {
  readonly #map: ReadonlyMap<string, Value>;
  #values: Iterator<Value>;
  /** How many it has still to see this time: whoever comes meanwhile does not make it longer. */
  #left = 0;

  constructor(map: ReadonlyMap<string, Value>) {
    this.#map = map;
    this.#values = map.values();
  }

  /** @param steps in so many all are to be seen once */
  *next(steps: number): Generator<Value> {
    if (this.#left <= 0) {
      this.#values = this.#map.values();
      this.#left = this.#map.size;
    }
    const most = Math.ceil(this.#map.size / Math.max(1, Math.floor(steps)));
    for (let count = Math.min(this.#left, most); count > 0; count--) {
      const { value, done } = this.#values.next();
      if (done === true) {
        this.#left = 0;
        return;
      }
      this.#left -= 1;
      yield value;
    }
  }
}
