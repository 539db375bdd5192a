import type { Account } from './accounts.ts';
import type { Cluster } from './cluster.ts';
import { readCommits, watermarkOf } from './commits.ts';
import { Gatherer } from './gatherer.ts';
import { type LogBounds, readManyBounds } from './log-reader.ts';
import { now } from './retry.ts';
import type { Watermark } from './watermark.ts';

/** What is committed for an inbox, and where its log begins and ends. */
export interface MailboxLook extends LogBounds {
  readonly watermark: Watermark | null;
}

const LOOK_TIMEOUT_MS = 5_000;
/** Inboxes looked at with one request of each kind. */
const MAX_LOOKS = 500;

/**
 * Looks at inboxes in Kafka, many at once: the first message to each of a thousand inboxes asks for a look, and three
 * requests each would cost more than all the messages.
 */
export class MailboxLooks {
  readonly #looks: Gatherer<Account, MailboxLook>;

  /** @param topicOf name of an account's inbox topic and group */
  constructor(cluster: Cluster, topicOf: (account: Account) => string) {
    this.#looks = new Gatherer(MAX_LOOKS, async (accounts) => {
      const topics = accounts.map(topicOf);
      const deadline = now() + LOOK_TIMEOUT_MS;
      const [commits, bounds] = await Promise.all([
        readCommits(cluster, topics, deadline),
        readManyBounds(cluster, topics, deadline),
      ]);
      return accounts.map((account, index) => {
        const found = bounds[index];
        if (found === undefined || found instanceof Error) return found ?? new Error('no answer');
        return { watermark: watermarkOf(account, commits[index] ?? null), ...found };
      });
    });
  }

  /** @throws EngineError, KafkaError */
  look(account: Account): Promise<MailboxLook> {
    return this.#looks.ask(account);
  }
}
