import { now } from '../wire/retry.ts';

const LONGEST_DEBT_MS = 5_000;

/** What is spent by and by: so much a second, and no more than a burst after a quiet time. */
export class Budget {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at = now();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  /**
   * Spends, even what is not there yet, but never more than `LONGEST_DEBT_MS` bring.
   * @returns milliseconds until it is there
   */
  spend(units: number): number {
    const moment = now();
    const gained = ((moment - this.#at) * this.#perSecond) / 1_000;
    const left = Math.min(this.#burst, this.#left + gained) - units;
    this.#left = Math.max(left, (-this.#perSecond * LONGEST_DEBT_MS) / 1_000);
    this.#at = moment;
    return this.#left >= 0 ? 0 : (-this.#left * 1_000) / this.#perSecond;
  }
}

/**
 * Answers that bring something new, a second, over all fetch sessions: each costs some 0.3 ms at the broker and here.
 * One message after the other causes fewer, so nobody rests then; under load each fetch brings the records of more inboxes.
 */
const NEW_PER_SECOND = 1_000;
const NEW_BURST = 100;

/**
 * Answers that bring only what was handed over in memory are the safety net at work. One costs a unit, and one more for
 * each 32 inboxes that the broker looks at: some 0.5 ms of CPU here and there. Beyond this budget, which few messages do not
 * use up, a session rests, and is only watched (log-end-poller.ts), which costs a fifth.
 */
const UNITS_PER_SECOND = 120;
const UNITS_BURST = 100;
const INBOXES_PER_UNIT = 32;

/** After such an answer the session rests this long at least, and longer while that goes on. */
const FIRST_REST_MS = 4;
const LONGEST_REST_MS = 50;
/** A fetch that was parked this long says that things are quiet. */
const QUIET_MS = 500;

/**
 * Bytes that are unpacked in a second, over all inboxes, after as many at once: 2 to 10 % of a core (some 100 ms at most for
 * what comes at once), and many times what honest senders of packed batches bring. A bomb of 300 bytes unpacks to 4 MiB. Each
 * record costs as some more bytes (log-batch.ts).
 */
const UNPACKED_PER_SECOND = 64 * 1024 * 1024;

/** What all fetch sessions of a frontend may ask of the brokers together. */
export class FetchPace {
  readonly #new = new Budget(NEW_PER_SECOND, NEW_BURST);
  readonly #known = new Budget(UNITS_PER_SECOND, UNITS_BURST);
  readonly #unpacked = new Budget(UNPACKED_PER_SECOND, UNPACKED_PER_SECOND);
  #resting = 0;

  /** Counts an answer with something new. @returns how long its session has to rest, milliseconds */
  broughtNew(): number {
    return this.#new.spend(1);
  }

  /** Counts an answer about that many inboxes without anything new. @returns likewise */
  broughtNothing(inboxes: number): number {
    return this.#known.spend(1 + inboxes / INBOXES_PER_UNIT);
  }

  /**
   * Counts what the records of one inbox have cost to unpack. Past the budget that inbox waits, as much longer as others wait:
   * each has the same share, and whoever takes little waits little.
   * @param cost bytes
   * @returns null when the inbox may go on at once, else when it may
   */
  unpacked(cost: number): Promise<void> | null {
    if (cost === 0 || this.#unpacked.spend(cost) === 0) return null;
    this.#resting += 1;
    const restMs = (cost / UNPACKED_PER_SECOND) * 1_000 * this.#resting;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#resting -= 1;
        resolve();
      }, restMs);
      // It holds up nobody who wants to end.
      timer.unref();
    });
  }
}

/** How long one fetch session rests between an answer and its next request. */
export class Rest {
  readonly #pace: FetchPace;
  #askedAt = 0;
  #answer: 'empty' | 'known' | 'new' = 'empty';
  #restMs = 0;

  constructor(pace: FetchPace) {
    this.#pace = pace;
  }

  asked(): void {
    this.#askedAt = now();
    this.#answer = 'empty';
  }

  answered(): void {
    if (now() - this.#askedAt >= QUIET_MS) this.#restMs = 0;
  }

  /** The answer has records; `isNew`: some were not known already. */
  brought(isNew: boolean): void {
    if (this.#answer !== 'new') this.#answer = isNew ? 'new' : 'known';
  }

  /** The rest before the next request, milliseconds. @param inboxes in the session */
  next(inboxes: number): number {
    if (this.#answer === 'empty') return 0;
    if (this.#answer === 'new') {
      this.#restMs /= 2;
      return this.#pace.broughtNew();
    }
    this.#restMs = Math.min(LONGEST_REST_MS, Math.max(FIRST_REST_MS, this.#restMs * 2));
    return Math.max(this.#restMs, this.#pace.broughtNothing(inboxes));
  }
}
