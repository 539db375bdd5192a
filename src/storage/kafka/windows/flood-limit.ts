/** How many records a second are shown: by the clock of those who look, or by the records' own times, whichever gives more. */
export class FloodLimit {
  readonly #perSecond: number;
  readonly #clock: () => number;
  #left: number;
  #at: number;
  #time = Number.NEGATIVE_INFINITY;

  /** @param clock milliseconds since the epoch */
  constructor(perSecond: number, clock: () => number = Date.now) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#left = perSecond;
    this.#at = clock();
  }

  /**
   * Whether one more may be shown; it counts as shown then.
   * @param timestamp of a record that was there before anybody looked; what has just come counts by the clock alone
   */
  admits(timestamp?: number): boolean {
    const at = this.#clock();
    let gained = Math.max(0, at - this.#at);
    this.#at = at;
    if (timestamp !== undefined) {
      const time = Math.min(timestamp, at);
      if (this.#time !== Number.NEGATIVE_INFINITY) gained = Math.max(gained, time - this.#time);
      this.#time = Math.max(this.#time, time);
    }
    this.#left = Math.min(this.#perSecond, this.#left + (gained / 1_000) * this.#perSecond);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
