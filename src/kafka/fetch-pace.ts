import { now } from './retry.ts';

/**
 * Answers with records, a second, over all fetch sessions: each costs some 0.3 ms at the broker and here. One message
 * after the other causes fewer, so nobody rests then; under load each fetch brings the records of more inboxes.
 */
const ANSWERS_PER_SECOND = 1_000;
/** So many may come at once after a quiet time. */
const BURST = 100;

/**
 * After an answer that brought nothing but what was handed over in memory, the session rests this long. The rest grows
 * while that goes on: the fetch is only the safety net then.
 */
const FIRST_REST_MS = 4;
const LONGEST_REST_MS = 50;
/** A fetch that was parked this long says that things are quiet. */
const QUIET_MS = 500;

/** What all fetch sessions of a frontend may ask of the brokers together. */
export class FetchPace {
  #tokens = BURST;
  #at = now();

  /** Counts one answer with records. @returns how long its session has to rest, milliseconds */
  take(): number {
    const moment = now();
    this.#tokens = Math.min(BURST, this.#tokens + ((moment - this.#at) * ANSWERS_PER_SECOND) / 1_000);
    this.#at = moment;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1_000) / ANSWERS_PER_SECOND;
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

  /** The rest before the next request, milliseconds. */
  next(): number {
    if (this.#answer === 'empty') return 0;
    const known = this.#answer === 'known';
    this.#restMs = known
      ? Math.min(LONGEST_REST_MS, Math.max(FIRST_REST_MS, this.#restMs * 2))
      : this.#restMs / 2;
    return Math.max(this.#pace.take(), known ? this.#restMs : 0);
  }
}
