import { type Age, FairLine } from '../../util/fair-line.ts';
import { atTickEnd, thisTick } from '../../util/tick.ts';

export interface LaneOptions {
  /** Time for all of this lane in one tick of the event loop, ms; what is begun within it is finished. */
  readonly tickMs: number;
  /** Time for all of this lane in the long run, ms a second; absent: as much as the ticks give. */
  readonly msPerSecond?: number;
}

/** Saved up at most, ms: a lane that was at rest does not take much more than its ticks afterwards. */
const BURST_MS = 20;
/**
 * What was taken too much is paid for up to this: not for an hour in which the process stood still, and what is done for
 * nobody's request (accepting connections) does not keep those who wait from their turn.
 */
const DEBT_MS = 20;

/**
 * One kind of work and the time of the event loop that it may have. Work is done at once while there is time left and
 * nobody waits; otherwise it waits in a line that is fair to addresses. So whatever many clients ask for, a tick of
 * the event loop stays short, and timers (the frontend's own lease among them) and everybody else's sockets come round.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #line = new FairLine<() => void>();
  /** Used in that tick of the event loop. */
  #spent = 0;
  #tick = -1;
  /** When the work that is being done began, and how many calls of `begin` deep that is. */
  #began = 0;
  #depth = 0;
  /** Time saved up of the long run's, ms; below zero what was used too much. */
  #saved = BURST_MS;
  #savedAt = performance.now();
  /** Something is set that will serve the line. */
  #isAwaited = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Those who wait. */
  get waiting(): number {
    return this.#line.size;
  }

  /** Whether one more thing may be begun now: there is time left, and nobody waits for it. */
  get isFree(): boolean {
    return this.#line.size === 0 && this.hasTime;
  }

  get hasTime(): boolean {
    const spent = this.#tick === thisTick() ? this.#spent : 0;
    const running = this.#depth === 0 ? 0 : performance.now() - this.#began;
    if (spent + running >= this.#options.tickMs) return false;
    if (this.#options.msPerSecond === undefined) return true;
    this.#save();
    return this.#saved > running;
  }

  /** Work of this lane begins. What it takes counts, be it allowed or not: some of it cannot wait. */
  begin(): void {
    this.#depth += 1;
    if (this.#depth === 1) this.#began = performance.now();
  }

  /** @returns ms that it took; 0 within other work of this lane */
  end(): number {
    this.#depth -= 1;
    if (this.#depth > 0) return 0;
    const ms = performance.now() - this.#began;
    this.charge(ms);
    return ms;
  }

  /** So much was used, or is about to be, in ms. */
  charge(ms: number): void {
    const tick = thisTick();
    this.#spent = ms + (this.#tick === tick ? this.#spent : 0);
    this.#tick = tick;
    this.#saved = Math.max(-DEBT_MS, this.#saved - ms);
  }

  /**
   * Calls when there is time and it is this address's turn; never at once.
   * @param work begins and ends what it does by itself
   */
  wait(address: string, work: () => void, age?: Age): void {
    this.#line.push(address, work, age);
    this.#await();
  }

  /** Whoever waits no more: what it holds is free at once, and not when its turn comes. */
  forget(address: string, work: () => void): void {
    this.#line.remove(address, work);
  }

  /**
   * Does work step by step, each when there is time for it; the first one at once if it may.
   * @param step a short piece of the work; returns true after the last one
   */
  async inSteps(address: string, step: () => boolean): Promise<void> {
    if (this.isFree && this.#timed(step)) return;
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        try {
          if (this.#timed(step)) resolve();
          else this.wait(address, next);
        } catch (error) {
          reject(error);
        }
      };
      this.wait(address, next);
    });
  }

  #timed<Value>(work: () => Value): Value {
    this.begin();
    try {
      return work();
    } finally {
      this.end();
    }
  }

  #serve = (): void => {
    this.#isAwaited = false;
    // Nobody twice in a tick. And one at least: somebody else may use up all the time again and again.
    let left = this.#line.size;
    do {
      this.#line.shift()?.();
      left -= 1;
    } while (left > 0 && this.hasTime);
    if (this.#line.size > 0) this.#await();
  };

  #await(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    const { msPerSecond } = this.#options;
    this.#save();
    if (msPerSecond === undefined || this.#saved > 0) atTickEnd(this.#serve);
    else setTimeout(this.#serve, Math.ceil((1_000 * (1 - this.#saved)) / msPerSecond));
  }

  #save(): void {
    const { msPerSecond } = this.#options;
    if (msPerSecond === undefined) return;
    const now = performance.now();
    this.#saved = Math.min(BURST_MS, this.#saved + ((now - this.#savedAt) / 1_000) * msPerSecond);
    this.#savedAt = now;
  }
}
