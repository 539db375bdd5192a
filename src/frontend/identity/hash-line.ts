import { ProtocolError } from '../../protocol/errors.ts';
import { HashLane, type Waiting } from './hash-lane.ts';

/** Who waits where: for a name that got in from its address lately, for any other, and for a new account. */
export type LaneName = 'known' | 'others' | 'creates';

/** Shares of the work while all of them wait. */
const WEIGHTS: Readonly<Record<LaneName, number>> = { known: 4, others: 2, creates: 1 };

/** Who waits for wrong passwords to be forgotten is looked at this often: something may have come of others meanwhile. */
const LOOK_MS = 1_000;
/** Waits are rounded up: nobody is to pass within that. */
const ROUNDING_MS = 2;
/** About as long as a full line takes. */
const RETRY_AFTER_MS = 2_000;

export interface HashLineOptions {
  /** Hashes at once. Each takes its memory and a thread of the pool that name look-ups and files need, too. */
  readonly atOnce: number;
  /** Attempts that wait in each lane; above it one of whoever has most of them is told BUSY, or RATE_LIMITED. */
  readonly waiting: number;
}

/** One piece of work, and whose it is. */
export interface Work {
  readonly lane: LaneName;
  readonly name: string;
  readonly address: string;
  /**
   * Asked when it comes and when its turn comes, since much may have happened in between.
   * @returns milliseconds that it has to wait; 0: it may be done now
   * @throws ProtocolError: it is not to be done at all
   */
  readonly look: () => number;
  /** Whether its client sends nothing more and has perhaps given it up: then it is done when there is nothing else to do. */
  readonly hasEnded: () => boolean;
  /** Whether its connection has been wrong before, more than once. */
  readonly hasErred: boolean;
}

/**
 * The line for password hashes, which are what is scarce here: a few at once, so that logins cannot starve messages, and
 * in a fair order, so that a flood of wrong passwords starves nobody's login. It is also where wrong passwords are paid
 * for: who was wrong too often waits here, and is not refused, since the next password may be the right one.
 *
 * Each lane has its share. In a lane networks and their addresses take turns, so who comes from a quiet one waits for one
 * hash of each other one; of one name and address only one is done at a time, so that nobody guesses faster by guessing
 * at once. Those whose client has ended its side go last: what a flood has left behind holds up nobody who is there.
 */
export class HashLine {
  readonly #options: HashLineOptions;
  readonly #lanes: Readonly<Record<LaneName, HashLane>>;
  /** Pairs of name and address whose work is being done; at most `atOnce`. */
  readonly #running = new Set<string>();
  #creating = 0;
  /** The progress of the lane that was served last: who comes back to work does not make up for its rest. */
  #progress = 0;
  /** Set for when somebody who waits may be served. */
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(options: HashLineOptions) {
    this.#options = options;
    const lane = () => new HashLane(options.waiting);
    this.#lanes = { known: lane(), others: lane(), creates: lane() };
  }

  /** Work that waits. */
  get waiting(): number {
    const { known, others, creates } = this.#lanes;
    return known.size + others.size + creates.size;
  }

  /** Does the work when its turn comes. @throws ProtocolError `BUSY`, what `look` throws, what the work throws */
  async pass<Value>(work: Work, compute: () => Promise<Value>): Promise<Value> {
    await this.#turnOf(work);
    try {
      return await compute();
    } finally {
      this.#running.delete(keyOf(work));
      if (work.lane === 'creates') this.#creating -= 1;
      this.#goOn();
    }
  }

  /** Tells all who wait that they are not served any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#wakesAt = Number.POSITIVE_INFINITY;
    for (const lane of Object.values(this.#lanes)) {
      for (const { reject } of lane.empty()) reject(new ProtocolError('SHUTTING_DOWN'));
    }
  }

  #turnOf(work: Work): Promise<void> {
    const lane = this.#lanes[work.lane];
    if (lane.size === 0) lane.progress = Math.max(lane.progress, this.#progress);
    const wait = work.look();
    const mayBegin = wait === 0 && this.#hasRoomFor(work);
    // Who waits there for the same may not have been called yet.
    if (mayBegin && lane.from(work.address) === 0) {
      this.#start(work);
      return Promise.resolve();
    }
    return new Promise((enter, reject) => {
      const waiting = { work, enter, reject, notBefore: 0 };
      if (wait > 0) this.#postpone(waiting, wait);
      const crowdedOut = lane.add(waiting);
      crowdedOut?.reject(crowdedOut.notBefore > performance.now() ? tooManyWrong() : busy());
      if (mayBegin) this.#goOn();
    });
  }

  /** Whatever may be done now is begun. */
  #goOn(): void {
    while (this.#running.size < this.#options.atOnce) {
      const next = this.#next();
      if (next === null) return;
      this.#start(next.work);
      next.enter();
    }
  }

  /** The lane with the least progress goes first. */
  #next(): Waiting | null {
    const lanes = Object.values(this.#lanes).sort((a, b) => a.progress - b.progress);
    const now = performance.now();
    for (const ended of [false, true]) {
      for (const lane of lanes) {
        const next = lane.take((waiting) => this.#isReady(waiting, ended, now));
        if (next !== null) return next;
      }
    }
    return null;
  }

  #isReady(waiting: Waiting, ended: boolean, now: number): boolean {
    const { work, notBefore } = waiting;
    const isEarly = notBefore > now + ROUNDING_MS;
    if (isEarly) this.#wakeAt(notBefore);
    if (isEarly || work.hasEnded() !== ended || !this.#hasRoomFor(work)) return false;
    const wait = work.look();
    if (wait > 0) this.#postpone(waiting, wait);
    return wait === 0;
  }

  #postpone(waiting: Waiting, wait: number): void {
    waiting.notBefore = performance.now() + Math.min(wait, LOOK_MS);
    this.#wakeAt(waiting.notBefore);
  }

  /** New accounts leave room for a login. */
  #hasRoomFor(work: Work): boolean {
    const { atOnce } = this.#options;
    if (this.#running.size >= atOnce || this.#running.has(keyOf(work))) return false;
    return work.lane !== 'creates' || this.#creating < Math.max(1, atOnce - 1);
  }

  #start(work: Work): void {
    const lane = this.#lanes[work.lane];
    this.#progress = Math.max(this.#progress, lane.progress);
    lane.progress += 1 / WEIGHTS[work.lane];
    this.#running.add(keyOf(work));
    if (work.lane === 'creates') this.#creating += 1;
  }

  #wakeAt(time: number): void {
    if (time >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = time;
    this.#timer = setTimeout(
      () => {
        this.#wakesAt = Number.POSITIVE_INFINITY;
        this.#goOn();
      },
      Math.max(1, time - performance.now()),
    );
    // Who waits has a connection, which keeps the process alive for as long as it matters.
    this.#timer.unref();
  }
}

function busy(): ProtocolError {
  return new ProtocolError('BUSY', 'Too many people are logging in: try again in a moment.', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function tooManyWrong(): ProtocolError {
  const text = 'Too many wrong passwords: wait a moment.';
  return new ProtocolError('RATE_LIMITED', text, { retryAfterMs: RETRY_AFTER_MS });
}

function keyOf({ name, address }: Work): string {
  return `${name} ${address}`;
}
