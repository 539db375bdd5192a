/** A question that waits for its answer. */
interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Asks many questions in one request: one request is under way at a time, and the next one takes along whatever was
 * asked meanwhile. So a question alone waits for nobody, and many cost little more than one. An answer is never older
 * than its question. What waits is bounded by who asks.
 */
export class RequestBatcher<Question, Answer> {
  readonly #ask: (questions: readonly Question[]) => Promise<readonly (Answer | Error)[]>;
  readonly #most: number;
  readonly #begin: () => Promise<void>;
  #waiting: Waiting<Question, Answer>[] = [];
  #asking = false;

  /**
   * @param most questions in one request
   * @param ask returns an answer, or its error, for each question in their order; when it throws, all have failed
   * @param begin is over when the first of them may be asked: by default whoever asks in the same breath goes along
   */
  constructor(
    most: number,
    ask: (questions: readonly Question[]) => Promise<readonly (Answer | Error)[]>,
    begin: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#most = most;
    this.#ask = ask;
    this.#begin = begin;
  }

  /** Questions that are not being asked yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    await this.#begin();
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, this.#most);
      try {
        const answers = await this.#ask(some.map(({ question }) => question));
        for (const [i, { resolve, reject }] of some.entries()) {
          const answer = answers[i];
          if (answer === undefined || answer instanceof Error) reject(answer ?? new Error('no answer'));
          else resolve(answer);
        }
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    this.#asking = false;
  }
}
