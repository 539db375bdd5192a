import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from '../../../core/accounts.ts';
import { otherSettings } from '../check/topic-settings.ts';
import { readManyBounds } from '../fetch/log-reader.ts';
import type { AccountsView } from '../tables/accounts-view.ts';
import type { Cluster } from '../wire/cluster.ts';
import { now, retry } from '../wire/retry.ts';
import { INBOX_KEEPS, UNKNOWN_TOPIC_MS } from '../wire/topics.ts';
import { type FoundTopic, findTopics } from './inbox-topics.ts';

const TIMEOUT_MS = 10_000;
/** Topics asked about in one request: it takes the broker some 20 ms. */
const TOPICS_AT_ONCE = 200;

/** An inbox whose topic is not as it should be. */
export interface InboxTrouble {
  readonly account: Account;
  readonly topic: string;
  /**
   * - `gone`: there is no such topic.
   * - `replaced`: there is one, but it is not the account's: it was deleted and made again, or restored from a copy.
   * - `partitions`: it has several, of which the first is the inbox; what others write to the rest is never read.
   * - `settings`: messages may be removed or doubted that should not be.
   */
  readonly kind: 'gone' | 'replaced' | 'partitions' | 'settings';
}

/** What a look at all inboxes found. */
export interface InboxesFound {
  readonly accounts: number;
  readonly troubles: readonly InboxTrouble[];
  /** Topics that look like inboxes, and are of no account that could be read. */
  readonly leftOver: readonly LeftOver[];
  /** Names of which nothing is signed with these keys: the topics that are left over may be theirs. */
  readonly unproven: number;
}

export interface LeftOver {
  readonly topic: string;
  readonly hasMail: boolean;
}

/**
 * Compares all accounts with the topics that are there.
 * @throws EngineError `UNAVAILABLE`; KafkaError
 */
export async function findTroubles(
  { cluster, accounts }: AccountsView,
  inboxPrefix: string,
): Promise<InboxesFound> {
  const topics = await retry('topics', now() + TIMEOUT_MS, () => findTopics(cluster, null));
  // Whoever came meanwhile has a topic that is not among these.
  const names = await accounts.list('*');
  const known = names.flatMap((name) => accounts.get(name) ?? []);
  const missing = new Set(
    known
      .filter((account) => !isOwn(account, topics.get(inboxPrefix + account.name)))
      .map(({ name }) => name),
  );
  const troubles: InboxTrouble[] = [];
  if (missing.size > 0) {
    // Brokers hear of new topics some ms later, and somebody may just have been removed.
    await sleep(UNKNOWN_TOPIC_MS);
    const asked = [...missing].map((name) => inboxPrefix + name);
    const again = await retry('topics', now() + TIMEOUT_MS, () => findTopics(cluster, asked));
    for (const name of missing) {
      const topic = inboxPrefix + name;
      const account = await accounts.findEvenly(name);
      const found = again.get(topic);
      if (account === undefined || isOwn(account, found)) continue;
      troubles.push({ account, topic, kind: found === undefined ? 'gone' : 'replaced' });
    }
  }
  const sound = known.filter(({ name }) => !missing.has(name));
  for (const account of sound) {
    const topic = inboxPrefix + account.name;
    if ((topics.get(topic)?.leaders.length ?? 1) > 1) troubles.push({ account, topic, kind: 'partitions' });
  }
  for (let at = 0; at < sound.length; at += TOPICS_AT_ONCE) {
    const some = new Map(
      sound.slice(at, at + TOPICS_AT_ONCE).map((account) => [inboxPrefix + account.name, account]),
    );
    const others = await retry('settings of topics', now() + TIMEOUT_MS, () =>
      otherSettings(cluster, [...some.keys()], INBOX_KEEPS),
    );
    for (const topic of others) {
      const account = some.get(topic);
      if (account) troubles.push({ account, topic, kind: 'settings' });
    }
  }
  const unclaimed = [...topics.keys()].filter(
    (topic) => topic.startsWith(inboxPrefix) && !accounts.get(topic.slice(inboxPrefix.length)),
  );
  const leftOver = await withMail(cluster, unclaimed);
  return { accounts: known.length, troubles, leftOver, unproven: accounts.proofs.unproven };
}

/** One whose bounds cannot be told counts as holding mail. */
async function withMail(cluster: Cluster, topics: readonly string[]): Promise<LeftOver[]> {
  const found: LeftOver[] = [];
  for (let at = 0; at < topics.length; at += TOPICS_AT_ONCE) {
    const some = topics.slice(at, at + TOPICS_AT_ONCE);
    const bounds = await readManyBounds(cluster, some, now() + TIMEOUT_MS);
    for (const [index, topic] of some.entries()) {
      const of = bounds[index];
      found.push({ topic, hasMail: of === undefined || of instanceof Error || of.end > of.start });
    }
  }
  return found;
}

function isOwn(account: Account, found: FoundTopic | undefined): boolean {
  return found?.topicId === account.topicId;
}
