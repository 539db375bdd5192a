import { setImmediate } from 'node:timers/promises';
import { ClientError } from '../../client/index.ts';
import type { View } from './display.ts';

/** So long work goes on without a pause, in milliseconds: a key that is pressed meanwhile waits no longer. */
const PIECE_MS = 8;
/** What takes less than this is not worth a word. */
const SHORT_MS = 200;
const TELL_EVERY_MS = 100;

/**
 * To be awaited between two small steps: whoever else has something to do has their turn, if it is time for one.
 * @param words how far it is
 * @throws ClientError when the work is given up
 */
export type Pause = (words: () => string) => Promise<void>;

/** Work that takes longer than a key press may wait, in pieces, one at a time. */
export class LongWork {
  readonly #view: Pick<View, 'working'>;
  #isStopped = false;
  #current: Promise<unknown> | null = null;

  constructor(view: Pick<View, 'working'>) {
    this.#view = view;
  }

  /**
   * Work that is short most of the time: the first piece is done at once, so that what comes of it is there before the next key, which
   * may have been pressed already and is meant for it; the others as `run` does it.
   * @param use gets what comes of it
   * @throws ClientError as `run`
   */
  take<Step, Result>(
    steps: Iterator<Step, Result>,
    words: (step: Step) => string,
    use: (result: Result) => void,
  ): Promise<void> | void {
    const begun = performance.now();
    for (;;) {
      const { done, value } = steps.next();
      if (done) return use(value);
      if (performance.now() - begun >= PIECE_MS) return this.#takeOthers(steps, value, words, use, begun);
    }
  }

  async #takeOthers<Step, Result>(
    steps: Iterator<Step, Result>,
    step: Step,
    words: (step: Step) => string,
    use: (result: Result) => void,
    begun: number,
  ): Promise<void> {
    const work = async (pause: Pause): Promise<Result> => {
      for (let last = step; ; ) {
        await pause(() => words(last));
        const { done, value } = steps.next();
        if (done) return value;
        last = value;
      }
    };
    use(await this.run(work, begun));
  }

  /**
   * @param begun when, if a part of it is done
   * @throws ClientError `BUSY` if something is under way already; and what the work throws
   */
  async run<Result>(
    work: (pause: Pause) => Promise<Result>,
    begun: number = performance.now(),
  ): Promise<Result> {
    if (this.#current !== null) throw new ClientError('BUSY', 'Something is under way: wait for its end.');
    let [turn, told] = [begun, begun];
    const pause: Pause = async (words) => {
      if (performance.now() - turn < PIECE_MS) return;
      await setImmediate();
      if (this.#isStopped) throw new ClientError('INVALID', 'Given up, since the program ends.');
      turn = performance.now();
      if (turn - begun < SHORT_MS || turn - told < TELL_EVERY_MS) return;
      told = turn;
      this.#view.working(words());
    };
    const running = work(pause);
    this.#current = running;
    try {
      return await running;
    } finally {
      this.#current = null;
      if (told > begun) this.#view.working(null);
    }
  }

  /** Gives up what is under way, and takes nothing more. Resolves when it is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#current?.catch(() => undefined);
  }
}
