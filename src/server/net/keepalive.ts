export interface KeepaliveOptions {
  /** Silence after which the client is asked for a sign of life, and after which it is taken for dead; ms. */
  readonly pingAfterMs: number;
  readonly closeAfterMs: number;
  /** When something was heard last, on the clock of `performance.now()`. */
  readonly heardAt: () => number;
  readonly ping: () => void;
  readonly dead: () => void;
}

/** Moments that all share, and the shortest wait that may be longer for that. */
const SHARED_MS = 1_000;
const COARSE_MS = 10_000;

/** Finds connections whose other end is gone without a word, by their silence. */
export class Keepalive {
  readonly #options: KeepaliveOptions;
  #timer: NodeJS.Timeout | undefined;
  /** When the client was asked last. */
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
    this.#wait(options.pingAfterMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** All look in the same moments: to wake up ten thousand times a minute costs more than to look. */
  #wait(ms: number): void {
    const moment = performance.now();
    const due = moment + Math.max(1, ms);
    const shared = ms > COARSE_MS ? Math.ceil(due / SHARED_MS) * SHARED_MS : due;
    this.#timer = setTimeout(() => this.#check(), shared - moment);
  }

  #check(): void {
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
