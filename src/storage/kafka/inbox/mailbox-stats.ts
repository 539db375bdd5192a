import type { Account } from '../../../core/accounts.ts';
import type { EpochEnd } from '../../../core/epochs.ts';
import { RequestBatcher } from '../../../util/request-batcher.ts';
import { type LogBounds, readManyBounds, readManyEnds } from '../fetch/log-reader.ts';
import { correspondentsOf, positionOf, readManyCommits } from '../groups/commits.ts';
import type { Correspondents } from '../groups/correspondents.ts';
import type { Position } from '../groups/position.ts';
import type { Cluster } from '../wire/cluster.ts';
import { type EpochQuestion, readEpochEnds } from '../wire/epoch-ends.ts';
import { now, retry } from '../wire/retry.ts';

/** What is committed for an inbox, and where its log begins and ends. */
export interface MailboxStats extends LogBounds {
  readonly position: Position | null;
  /** Whom the owner has written to. */
  readonly correspondents: Correspondents;
}

const TIMEOUT_MS = 5_000;
/** Inboxes looked at with one request of each kind. */
const MAX_INBOXES = 500;

/**
 * Looks at inboxes in Kafka, many at once: the first message to each of a thousand inboxes asks for a look, and so does
 * each of a thousand logins; three requests each would cost more than all the rest.
 */
export class MailboxStatsReader {
  readonly #stats: RequestBatcher<Account, MailboxStats>;
  readonly #ends: RequestBatcher<Account, number>;
  readonly #epochEnds: RequestBatcher<EpochQuestion, EpochEnd>;

  /** @param topicOf name of an account's inbox topic and group */
  constructor(cluster: Cluster, topicOf: (account: Account) => string) {
    this.#stats = new RequestBatcher(MAX_INBOXES, async (accounts) => {
      const topics = accounts.map(topicOf);
      const deadline = now() + TIMEOUT_MS;
      const [commits, bounds] = await Promise.all([
        retry('commits', deadline, () => readManyCommits(cluster, topics)),
        readManyBounds(cluster, topics, deadline),
      ]);
      return accounts.map((account, index) => {
        const [commit = null, found] = [commits[index], bounds[index]];
        if (commit instanceof Error) return commit;
        if (found === undefined || found instanceof Error) return found ?? new Error('no answer');
        const correspondents = correspondentsOf(account, commit);
        return { position: positionOf(account, commit), correspondents, ...found };
      });
    });
    this.#ends = new RequestBatcher(MAX_INBOXES, (accounts) =>
      readManyEnds(cluster, accounts.map(topicOf), now() + TIMEOUT_MS),
    );
    this.#epochEnds = new RequestBatcher(MAX_INBOXES, (questions) => readEpochEnds(cluster, questions));
  }

  /** @throws EngineError `UNAVAILABLE`; KafkaError UNKNOWN_TOPIC_OR_PARTITION, or a passing one */
  read(account: Account): Promise<MailboxStats> {
    return this.#stats.ask(account);
  }

  /** Only where the log ends. @throws likewise */
  end(account: Account): Promise<number> {
    return this.#ends.ask(account);
  }

  /** How far the log has a leader epoch. @throws likewise */
  epochEnd(topic: string, epoch: number): Promise<EpochEnd> {
    return this.#epochEnds.ask({ topic, epoch });
  }
}
