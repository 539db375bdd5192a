import { EngineError } from '../../../core/errors.ts';
import { unavailable } from '../wire/unavailable.ts';

/** Changes of accounts under way and waiting; past the second bound: BUSY. */
const MAX_CHANGES = 32;
const MAX_WAITING = 2_000;

/** Changes of accounts: so many at the same time, the rest in the order of their coming. */
export class ChangeTurns {
  #changing = 0;
  readonly #waiting: (() => void)[] = [];

  /** @throws EngineError `BUSY`, `UNAVAILABLE`, and what the change throws */
  async run<T>(change: () => Promise<T>): Promise<T> {
    if (this.#changing >= MAX_CHANGES) {
      if (this.#waiting.length >= MAX_WAITING)
        throw new EngineError('BUSY', 'too many accounts are being changed');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#changing++;
    }
    try {
      return await change().catch(unavailable);
    } finally {
      // The place goes to the next in line, or is given up.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#changing--;
    }
  }
}
