import { ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from 'pino';
import type { Account } from '../../../core/accounts.ts';
import { listOffset } from '../fetch/log-reader.ts';
import { commitStart } from '../groups/commits.ts';
import type { Cluster } from '../wire/cluster.ts';
import { now, retry, whyOf } from '../wire/retry.ts';
import type { FoundTopic, InboxTopics } from './inbox-topics.ts';

/** How long a new account waits for the first commit of its inbox at most. */
const FIRST_COMMIT_MS = 2_000;

/**
 * The topic of a new account or room, with nothing in it.
 * @param leftOver what has its name now
 * @param mayDelete false: that was deleted, and is there again
 * @returns Kafka's id of the topic; null where another one got in the way
 * @throws EngineError `UNAVAILABLE`; KafkaError
 */
export async function makeEmptyTopic(
  { topics, log }: { readonly topics: InboxTopics; readonly log: Logger },
  topic: string,
  leftOver: FoundTopic | null,
  mayDelete: boolean,
  deadline: number,
): Promise<string | null> {
  const isGone =
    leftOver === null || (mayDelete && (await topics.deleteIfAllowed(leftOver.topicId, deadline)));
  if (isGone) return retry(`create ${topic}`, deadline, () => topics.create(topic));
  if (!(await topics.takeOverEmpty(topic, leftOver, deadline))) return null;
  const partitions = leftOver.leaders.length;
  log.warn({ topic, partitions }, 'a topic that others have made was emptied for a new owner');
  return leftOver.topicId;
}

/**
 * Commits where a new inbox begins, when nobody else can be making its name any more. Without it an inbox is as one whose position
 * was lost, so a failure is told and does no other harm. Never throws.
 */
export async function commitFirstPosition(
  { cluster, log }: { readonly cluster: Cluster; readonly log: Logger },
  account: Account,
  topic: string,
  isTakenOver: boolean,
): Promise<void> {
  try {
    const earliest = () => listOffset(cluster, topic, ListOffsetTimestamps.EARLIEST);
    const start = isTakenOver ? await earliest() : 0;
    await commitStart(cluster, account, topic, start, now() + FIRST_COMMIT_MS);
  } catch (error) {
    log.warn({ ...whyOf(error), topic }, 'the position of a new inbox is not committed');
  }
}
