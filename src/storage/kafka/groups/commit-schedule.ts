import type { CommitPace } from './commit-pace.ts';

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

  /** After `stop`: waits for the commit under way, if any. @returns whether something is left to commit */
  async settle(): Promise<boolean> {
    await this.#committing;
    return this.#dirty;
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
