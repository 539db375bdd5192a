import { FairLine } from './fair-line.ts';

/**
 * Lets a bounded number of tasks run at once; the others wait in a line that is fair to whom they are for. What waits
 * is bounded by who may come: one task of each session.
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
