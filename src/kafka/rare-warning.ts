import type { Logger } from 'pino';
import { now } from './retry.ts';

const INTERVAL_MS = 10_000;

/**
 * A warning that others can cause as often as they like: told at once, then every ten seconds at most, with how many there
 * were meanwhile.
 */
export class RareWarning {
  readonly #log: Logger;
  readonly #text: string;
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(log: Logger, text: string) {
    this.#log = log;
    this.#text = text;
  }

  /** @param fields of this one, if it is the one that is told */
  note(fields: Readonly<Record<string, unknown>>): void {
    if (now() - this.#toldAt < INTERVAL_MS) {
      this.#untold += 1;
      return;
    }
    this.#log.warn({ ...fields, ...(this.#untold > 0 && { untold: this.#untold }) }, this.#text);
    this.#toldAt = now();
    this.#untold = 0;
  }
}
