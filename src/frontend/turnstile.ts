/**
 * Lets a bounded number of tasks run at once; the others wait in line. What waits is bounded by who may come:
 * here one task per session.
 */
export class Turnstile {
  readonly #width: number;
  #inside = 0;
  readonly #line: (() => void)[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  async pass<Value>(task: () => Promise<Value>): Promise<Value> {
    // Who leaves hands the place on, so it is never free while somebody waits.
    if (this.#inside < this.#width) this.#inside += 1;
    else await new Promise<void>((enter) => this.#line.push(enter));
    try {
      return await task();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}
