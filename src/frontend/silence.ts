export interface SilenceOptions {
  /** Silence after which the client is asked for a sign of life, and after which it is taken for dead; ms. */
  readonly pingAfterMs: number;
  readonly closeAfterMs: number;
  /** When something was heard last, on the clock of `performance.now()`. */
  readonly heardAt: () => number;
  readonly ping: () => void;
  readonly dead: () => void;
}

/** Finds connections whose other end is gone without a word, by their silence. */
export class Silence {
  readonly #options: SilenceOptions;
  #timer: NodeJS.Timeout | undefined;
  /** When the client was asked last. */
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#wait(options.pingAfterMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.max(1, ms));
  }

  #look(): void {
    const { pingAfterMs, closeAfterMs, heardAt, ping, dead } = this.#options;
    const heard = heardAt();
    const silentMs = performance.now() - heard;
    if (silentMs < pingAfterMs) {
      this.#wait(pingAfterMs - silentMs);
      return;
    }
    // A deadline counts only once the client was asked: the process may have been asleep itself.
    if (this.#askedAt < heard) {
      this.#askedAt = performance.now();
      ping();
    }
    const answerMs = closeAfterMs - pingAfterMs;
    const waitedMs = performance.now() - this.#askedAt;
    if (waitedMs >= answerMs) dead();
    else this.#wait(Math.min(pingAfterMs, answerMs - waitedMs));
  }
}
