import { setTimeout as sleep } from 'node:timers/promises';
import { Semaphore } from '../../util/semaphore.ts';
import { TokenBucket, TokenBuckets } from '../../util/token-buckets.ts';
import type { Limits } from '../limits.ts';

/**
 * Questions that each cost Kafka's coordinator a look at a group: whether a message was acknowledged, whether somebody is
 * logged in elsewhere. A request may ask hundreds of them, so they go in small batches, few at once and only so many a
 * second, for each account and in all. Who asks too much waits, and nobody else does: accounts take turns.
 */
export class CoordinatorQueries {
  readonly #limits: Limits;
  readonly #gate: Semaphore;
  readonly #ofAll: TokenBucket;
  readonly #ofAccount: TokenBuckets;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#gate = new Semaphore(limits.questionBatchesAtOnce);
    this.#ofAll = new TokenBucket(limits.questions);
    this.#ofAccount = new TokenBuckets(limits.questionsPerAccount, limits.rateKeys);
  }

  /**
   * @param name of the account that asks
   * @param ask answers some of the questions, in their order
   * @throws what `ask` throws
   */
  async ask<Question, Answer>(
    name: string,
    questions: readonly Question[],
    ask: (some: readonly Question[]) => Promise<readonly Answer[]>,
  ): Promise<Answer[]> {
    const { questionBatch } = this.#limits;
    const answers: Answer[] = [];
    for (let from = 0; from < questions.length; from += questionBatch) {
      const some = questions.slice(from, from + questionBatch);
      await paid(() => this.#ofAccount.take(name, some.length));
      const answered = await this.#gate.pass(name, async () => {
        await paid(() => this.#ofAll.take(some.length));
        return ask(some);
      });
      answers.push(...answered);
    }
    return answers;
  }
}

/** Waits until there were tokens. */
async function paid(take: () => number): Promise<void> {
  for (let waitMs = take(); waitMs > 0; waitMs = take()) await sleep(waitMs);
}
