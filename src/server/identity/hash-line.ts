import { ProtocolError } from '../../protocol/errors.ts';
import type { LaneName, Work } from './hash-lane.ts';
import { HashLane, type LaneEntry } from './hash-lane.ts';

/** Shares of the work while all of them wait. */
const WEIGHTS: Readonly<Record<LaneName, number>> = { known: 4, others: 2, creates: 1 };

/** Who waits for wrong passwords to be forgotten is looked at this often: something may have come of others meanwhile. */
const RECHECK_MS = 1_000;
/** Waits are rounded up, and who waits for the same moment takes turns: it is looked at them so much too early. */
const ROUNDING_MS = 2;
/** About as long as a full line takes. */
const RETRY_AFTER_MS = 2_000;

export interface HashLineOptions {
  /** Hashes at once. Each takes its memory and a thread of the pool that name look-ups and files need, too. */
  readonly atOnce: number;
  /** Attempts that wait in each lane; above it one of whoever has most of them is told BUSY, or RATE_LIMITED. */
  readonly waiting: number;
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
  /** By name and address, of which one is done at a time: those that wait for its end. At most `atOnce`. */
  readonly #running = new Map<string, LaneEntry['pair'][]>();
  #creating = 0;
  /** The progress of the lane that was served last: a lane of which nobody was ready does not make up for its rest. */
  #progress = 0;
  #isClosed = false;
  /** Set for when somebody who waits may be served, while there is room. */
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

  /**
   * Does the work when its turn comes.
   * @throws ProtocolError `BUSY`, `RATE_LIMITED`, `SHUTTING_DOWN`, `UNAVAILABLE` for a caller who is gone; what `look`
   * throws, what the work throws
   */
  async pass<Value>(work: Work, compute: () => Promise<Value>): Promise<Value> {
    await this.#turnOf(work).finally(() => work.whenGone(null));
    try {
      return await compute();
    } finally {
      this.#ended(work);
    }
  }

  /** Nobody is served any more but those whose work is being done; all who wait are told so. */
  close(): void {
    this.#isClosed = true;
    for (const lane of Object.values(this.#lanes)) {
      for (const { reject } of lane.empty()) reject(new ProtocolError('SHUTTING_DOWN'));
    }
    this.#setTimer();
  }

  async #turnOf(work: Work): Promise<void> {
    if (this.#isClosed) throw new ProtocolError('SHUTTING_DOWN');
    const wait = work.waitMs();
    const lane = this.#lanes[work.lane];
    // Who waited for this moment was there before.
    lane.recall(performance.now() + ROUNDING_MS);
    return new Promise((enter, reject) => {
      const entry = lane.add({ work, enter, reject });
      if (wait > 0) postpone(lane, entry, wait);
      work.whenGone(() => {
        if (lane.remove(entry)) reject(new ProtocolError('UNAVAILABLE'));
      });
      this.#goOn();
      const crowdedOut = lane.crowdOut(entry);
      crowdedOut?.reject(crowdedOut.place === 'later' ? tooManyWrong() : busy());
    });
  }

  /** Whatever may be done now is begun. */
  #goOn(): void {
    while (this.#running.size < this.#options.atOnce) {
      const next = this.#next();
      if (next === null) break;
      this.#start(next);
    }
    this.#setTimer();
  }

  /** The lane with the least progress goes first. */
  #next(): LaneEntry | null {
    const now = performance.now();
    const lanes = this.#openLanes().sort((a, b) => a.progress - b.progress);
    for (const lane of lanes) {
      lane.recall(now + ROUNDING_MS);
      const next = this.#nextOf(lane);
      if (next !== null) return next;
      lane.progress = Math.max(lane.progress, this.#progress);
    }
    for (const lane of lanes) {
      const next = this.#nextOfLast(lane);
      if (next !== null) return next;
    }
    return null;
  }

  /** New accounts leave room for a login. */
  #openLanes(): HashLane[] {
    const { known, others, creates } = this.#lanes;
    const mayCreate = this.#creating < Math.max(1, this.#options.atOnce - 1);
    return mayCreate ? [known, others, creates] : [known, others];
  }

  /** Whoever may not begin is put where nobody meets it again before something has changed. */
  #nextOf(lane: HashLane): LaneEntry | null {
    for (let entry = lane.first; entry !== null; entry = lane.first) {
      const behind = this.#running.get(keyOf(entry.work));
      if (behind !== undefined) {
        entry.pair.hold();
        behind.push(entry.pair);
      } else if (entry.work.hasEnded()) lane.putLast(entry);
      else if (mayBegin(lane, entry)) return entry;
    }
    return null;
  }

  #nextOfLast(lane: HashLane): LaneEntry | null {
    for (let entry = lane.firstOfLast; entry !== null; entry = lane.firstOfLast) {
      // Nobody who is there waits behind it.
      if (this.#running.has(keyOf(entry.work))) return null;
      if (mayBegin(lane, entry)) return entry;
    }
    return null;
  }

  #start(entry: LaneEntry): void {
    const { work } = entry;
    const lane = this.#lanes[work.lane];
    lane.take(entry);
    this.#progress = Math.max(this.#progress, lane.progress);
    lane.progress += 1 / WEIGHTS[work.lane];
    this.#running.set(keyOf(work), []);
    if (work.lane === 'creates') this.#creating += 1;
    entry.enter();
  }

  #ended(work: Work): void {
    const behind = this.#running.get(keyOf(work)) ?? [];
    this.#running.delete(keyOf(work));
    if (work.lane === 'creates') this.#creating -= 1;
    for (const pair of behind) pair.release();
    this.#goOn();
  }

  /** While there is no room, the end of some work is what everybody waits for. */
  #setTimer(): void {
    const hasRoom = this.#running.size < this.#options.atOnce;
    const times = hasRoom ? Object.values(this.#lanes).map(({ recallsAt }) => recallsAt) : [];
    const wakesAt = Math.min(Number.POSITIVE_INFINITY, ...times);
    if (wakesAt === this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = wakesAt;
    if (wakesAt === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        this.#wakesAt = Number.POSITIVE_INFINITY;
        this.#goOn();
      },
      Math.max(1, wakesAt - performance.now()),
    );
    // Who waits has a connection, which keeps the process alive for as long as it matters.
    this.#timer.unref();
  }
}

/** Whoever has to wait for a time does so, and whoever is refused is told so and out. */
function mayBegin(lane: HashLane, entry: LaneEntry): boolean {
  try {
    const wait = entry.work.waitMs();
    if (wait > 0) postpone(lane, entry, wait);
    return wait === 0;
  } catch (error) {
    lane.remove(entry);
    entry.reject(error instanceof ProtocolError ? error : new ProtocolError('INTERNAL'));
    return false;
  }
}

function postpone(lane: HashLane, entry: LaneEntry, wait: number): void {
  lane.postpone(entry, performance.now() + Math.min(wait, RECHECK_MS));
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
