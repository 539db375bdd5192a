import type { Account } from '../../../core/accounts.ts';
import type { EpochEnd } from '../../../core/epochs.ts';
import { RequestBatcher } from '../../../util/request-batcher.ts';
import { type LogBounds, readManyBounds, readManyEnds } from '../fetch/log-reader.ts';
import { correspondentsOf, type GroupTopic, positionOf, readManyCommits } from '../groups/commits.ts';
import { Correspondents } from '../groups/correspondents.ts';
import { type Commit, Position } from '../groups/position.ts';
import type { Cluster } from '../wire/cluster.ts';
import { type EpochQuestion, readEpochEnds } from '../wire/epoch-ends.ts';
import { now, retry } from '../wire/retry.ts';

/** What is committed for an inbox, and where its log begins and ends. */
export interface MailboxStats extends LogBounds {
  /** What any device has; null where nobody knows. */
  readonly position: Position | null;
  /** Where each device is, by its group; null where nothing is committed for it. */
  readonly positions: ReadonlyMap<string, Position | null>;
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

  /** @param groupsOf the groups of an account's devices, the main one first, with the inbox's topic */
  constructor(cluster: Cluster, groupsOf: (account: Account) => readonly GroupTopic[]) {
    const topicOf = (account: Account) => groupsOf(account)[0]?.topic ?? '';
    this.#stats = new RequestBatcher(MAX_INBOXES, async (accounts) => {
      const groups = accounts.map(groupsOf);
      const deadline = now() + TIMEOUT_MS;
      const [commits, bounds] = await Promise.all([
        retry('commits', deadline, () => readManyCommits(cluster, groups.flat())),
        readManyBounds(cluster, accounts.map(topicOf), deadline),
      ]);
      const answers = commits.values();
      return accounts.map((account, index) => {
        const found = bounds[index];
        const committed = (groups[index] ?? []).map(
          ({ group }) => [group, answers.next().value ?? null] as const,
        );
        if (found === undefined || found instanceof Error) return found ?? new Error('no answer');
        return statsOf(account, committed, found);
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

function statsOf(
  account: Account,
  commits: readonly (readonly [group: string, Commit | null | Error])[],
  bounds: LogBounds,
): MailboxStats | Error {
  const positions = new Map<string, Position | null>();
  const correspondents: Correspondents[] = [];
  for (const [group, commit] of commits) {
    if (commit instanceof Error) return commit;
    positions.set(group, positionOf(account, commit));
    correspondents.push(correspondentsOf(account, commit));
  }
  const known = [...positions.values()].filter((position) => position !== null);
  // Nearly always there is one device and no other.
  const position = known.length > 1 ? Position.union(known) : (known[0] ?? null);
  return { ...bounds, position, positions, correspondents: Correspondents.union(correspondents) };
}
