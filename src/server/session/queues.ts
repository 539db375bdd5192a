/**
 * Tasks of each key in the order of their coming. What waits is bounded by who may come: one task of each session.
 */
export class Queues {
  /** Settles, and never fails, when the last task of the key is over and with it all before. */
  readonly #ends = new Map<string, Promise<void>>();

  /**
   * @param waits whether it begins only when all before it are over; else at once, and those behind it may wait for it
   * @param task is told whether it had to wait
   */
  pass<Value>(key: string, waits: boolean, task: (hasWaited: boolean) => Promise<Value>): Promise<Value> {
    const before = this.#ends.get(key);
    const done = waits && before !== undefined ? before.then(() => task(true)) : task(false);
    const end = Promise.allSettled([before, done]).then(() => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    });
    this.#ends.set(key, end);
    return done;
  }
}
