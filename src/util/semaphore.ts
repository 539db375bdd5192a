import { FairLine } from './fair-line.ts';

/**
 * Lets a bounded number of tasks run at once; the others wait in a line that is fair to whom they are for. What waits
 * is bounded by who may come: so many tasks of each session.
 */
export class Semaphore {
  readonly #width: number;
  #inside = 0;
  readonly #line = new FairLine<() => void>();

  constructor(width: number) {
    this.#width = width;
  }

  /** Those who wait. */
  get waiting(): number {
    return this.#line.size;
  }

  /** @param whom an address or a name: everybody who waits has the next place in turn */
  async pass<Value>(whom: string, task: () => Promise<Value>): Promise<Value> {
    // Who leaves hands the place on, so it is never free while somebody waits.
    if (this.#inside < this.#width) this.#inside += 1;
    else await new Promise<void>((enter) => this.#line.push(whom, enter));
    try {
      return await task();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}

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
