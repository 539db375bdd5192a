/**
 * Bytes that strangers have sent and that wait for their turn, of all of them together: each may have sent a whole read
 * of the network, 64 KiB, and there may be thousands.
 */
export class InputPool {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get isOver(): boolean {
    return this.#held > this.#most;
  }

  /** What one of them holds has changed. */
  change(bytes: number): void {
    this.#held += bytes;
  }
}
