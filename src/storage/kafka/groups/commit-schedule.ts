import { now } from '../wire/retry.ts';

export interface CommitScheduleOptions {
  readonly pace: CommitPace;
  /** Writes down what is acknowledged now. Must not be under way twice. */
  readonly commit: () => Promise<void>;
  /** False while nothing may be committed: it is tried again later. */
  readonly mayCommit: () => boolean;
  readonly onFailed: (error: unknown) => void;
}

/** When the position of one inbox goes to Kafka: some time after it has changed, and at the end. */
export class CommitSchedule {
  readonly #options: CommitScheduleOptions;
  #dirty = false;
  #waiting = false;
  #stopped = false;
  #committing: Promise<void> | null = null;

  constructor(options: CommitScheduleOptions) {
    this.#options = options;
  }

  /** There is something to commit. */
  touch(): void {
    this.#dirty = true;
    this.#enqueue();
  }

  /** Nothing is committed by itself any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** After `stop`: waits for the commit under way, if any. */
  async settle(): Promise<void> {
    await this.#committing;
  }

  #enqueue(): void {
    if (this.#stopped || this.#waiting || this.#committing || !this.#dirty) return;
    this.#waiting = true;
    this.#options.pace.enqueue(this);
  }

  /** The pace says that it is this inbox's turn. @returns whether it made use of it */
  begin(): boolean {
    this.#waiting = false;
    if (this.#stopped) return false;
    if (!this.#options.mayCommit()) {
      this.#enqueue();
      return false;
    }
    this.#dirty = false;
    this.#committing = this.#run().finally(() => {
      this.#committing = null;
      this.#enqueue();
    });
    return true;
  }

  async #run(): Promise<void> {
    try {
      await this.#options.commit();
    } catch (error) {
      this.#dirty = true;
      this.#options.onFailed(error);
    }
  }
}

/** Whoever has something to commit. */
export interface Committer {
  /** @returns whether a commit was begun */
  begin(): boolean;
}

/** What was acknowledged is committed at most this often for one inbox. */
const COMMIT_INTERVAL_MS = 500;
/**
 * Commits a second over all inboxes: each costs some 0.1 ms here and 0.4 ms at the broker, and Kafka takes one group
 * at a time. When more inboxes are busy than fit, each is committed less often.
 */
const COMMITS_PER_SECOND = 125;
const TICK_MS = 40;
const COMMITS_PER_TICK = Math.ceil((COMMITS_PER_SECOND * TICK_MS) / 1_000);

interface Waiting {
  readonly committer: Committer;
  /** On the clock of `now`. */
  readonly due: number;
}

/**
 * Spreads the commits of all inboxes over time, first come, first served. Holds at most one entry for each inbox of
 * this process.
 */
export class CommitPace {
  #queue: Waiting[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | null = null;

  enqueue(committer: Committer): void {
    this.#queue.push({ committer, due: now() + COMMIT_INTERVAL_MS });
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const moment = now();
    let room = COMMITS_PER_TICK;
    for (let next = this.#queue[this.#head]; next && room > 0; next = this.#queue[this.#head]) {
      // In the order of their due times, since all wait equally long.
      if (next.due > moment) return;
      this.#head++;
      if (next.committer.begin()) room--;
    }
    if (this.#head < this.#queue.length / 2) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
    if (this.#queue.length > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
