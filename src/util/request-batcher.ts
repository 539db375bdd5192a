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
  #waiting: Waiting<Question, Answer>[] = [];
  #asking = false;

  /**
   * @param most questions in one request
   * @param ask returns an answer, or its error, for each question in their order; when it throws, all have failed
   */
  constructor(most: number, ask: (questions: readonly Question[]) => Promise<readonly (Answer | Error)[]>) {
    this.#most = most;
    this.#ask = ask;
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
    // Whoever asks in the same breath goes along.
    await Promise.resolve();
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
