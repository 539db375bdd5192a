import { EXIT, Failure } from './exit.ts';

/**
 * The time that a command has for everything together. It stands still while somebody here is waited for: a person at a
 * prompt, or the reader of standard output, who takes nothing.
 */
export class Deadline {
  readonly #wholeMs: number;
  readonly #over = new AbortController();
  #leftMs: number;
  /** When it began to run again, on the monotonic clock. */
  #since = performance.now();
  #pauses = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param milliseconds of the whole */
  constructor(milliseconds: number) {
    this.#wholeMs = milliseconds;
    this.#leftMs = milliseconds;
    this.#run();
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Milliseconds; never less than 0. */
  get leftMs(): number {
    const ran = this.#pauses > 0 ? 0 : performance.now() - this.#since;
    return Math.max(0, this.#leftMs - ran);
  }

  /** Does something that does not count. */
  async pause<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#leftMs = this.leftMs;
    this.#pauses += 1;
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      this.#pauses -= 1;
      if (this.#pauses === 0 && !this.isOver) this.#run();
    }
  }

  /** What ends a command whose time is over. @param cause what the end of its connection made of it */
  failure(cause: unknown): Failure {
    const text = `Not done within ${this.#wholeMs / 1_000} s: it may have been carried out or not. --timeout gives it longer.`;
    return new Failure(EXIT.TRY_LATER, text, { cause });
  }

  /** It does not matter any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#pauses += 1;
  }

  #run(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#over.abort(this.failure(undefined)), this.#leftMs);
  }
}
