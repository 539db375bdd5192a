import { now } from './retry.ts';

const INTERVAL_MS = 10_000;

/**
 * A warning that others can cause as often as they like: told at once, then every ten seconds at most, with how many there
 * were meanwhile.
 */
export class RareWarning {
  readonly #tell: (fields: Readonly<Record<string, unknown>>) => void;
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  /** @param tell with the fields of the last one, and with `untold` others there were since the one before */
  constructor(tell: (fields: Readonly<Record<string, unknown>>) => void) {
    this.#tell = tell;
  }

  /** @param fields of this one, if it is the one that is told */
  note(fields: Readonly<Record<string, unknown>>): void {
    if (now() - this.#toldAt < INTERVAL_MS) {
      this.#untold += 1;
      return;
    }
    this.#tell({ ...fields, ...(this.#untold > 0 && { untold: this.#untold }) });
    this.#toldAt = now();
    this.#untold = 0;
  }
}
