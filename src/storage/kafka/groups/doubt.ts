import { now } from '../wire/retry.ts';

/** Sooner than this no client gives a frontend up and is let in elsewhere. */
const LATE_MS = 1_000;
const CHECK_MS = 250;

/**
 * From when on it is not known whether what this process held is still its own: a turn of its event loop came late, or
 * Kafka was silent, for so long that its clients may be logged in elsewhere. What was asked of Kafka before that says
 * nothing any more. Looked at whenever something depends on it, since what lay in the sockets meanwhile is read before
 * any timer fires.
 */
export class Doubt {
  #since = Number.NEGATIVE_INFINITY;
  /** The last look, on both clocks: the monotonic one stands still where a whole machine is suspended. */
  #lookedAt = now();
  #wallAt = Date.now();
  /** When Kafka was asked for the sign of life that it has not given yet. */
  #askedAt: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** Looks from now on, so that every late turn is noticed. Does nothing when it is started already. */
  start(): void {
    this.#check();
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Kafka is asked for a sign of life; asked again before it has given one, the first time counts. */
  asked(): void {
    this.#askedAt ??= now();
  }

  /** It has given one. */
  answered(): void {
    this.#check();
    this.#askedAt = null;
  }

  /** Whether Kafka is silent now: what it is asked for meanwhile is in doubt as well. */
  get isGoingOn(): boolean {
    return this.#askedAt !== null && now() - this.#askedAt > LATE_MS;
  }

  /** Whether what Kafka has said is in doubt. @param askedAt when that was asked for, on the clock of `now` */
  covers(askedAt: number): boolean {
    this.#check();
    return askedAt <= this.#since;
  }

  #check(): void {
    const moment = performance.now();
    const wall = Date.now();
    const isLate = moment - this.#lookedAt > LATE_MS || wall - this.#wallAt > LATE_MS;
    const isSilent = this.#askedAt !== null && moment - this.#askedAt > LATE_MS;
    if (isLate || isSilent) this.#since = moment;
    this.#lookedAt = moment;
    this.#wallAt = wall;
  }
}
