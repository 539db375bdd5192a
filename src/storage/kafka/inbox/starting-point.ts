import type { Account } from '../../../core/accounts.ts';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Surprise } from '../../../core/inboxes.ts';
import type { Correspondents } from '../groups/correspondents.ts';
import { DeliveredOffsets } from '../groups/delivered-offsets.ts';
import { Position } from '../groups/position.ts';
import { expectNone, expectTopic, isUnknownTopic, KafkaCode } from '../wire/kafka-error.ts';
import { now, retry } from '../wire/retry.ts';
import { noInbox, UNKNOWN_TOPIC_MS } from '../wire/topics.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import type { MailboxStats } from './mailbox-stats.ts';

const NO_POSITION =
  'the position of an inbox is lost: everything that is in it is delivered (again): see docs/operations.md';

/** Where an inbox is begun. */
export interface StartingPoint {
  readonly position: Position;
  readonly correspondents: Correspondents;
  readonly surprise: Surprise;
  /** It is not what was committed, or nothing was. */
  readonly isNew: boolean;
  /** The log is known to be that of this leader epoch up to its end. */
  readonly epoch: number;
}

type Surroundings = Pick<InboxSurroundings, 'cluster' | 'stats' | 'log'>;

/**
 * Where to begin: at what is committed, as far as the log is still what it was then. A commit that is missing means:
 * everything from the log's start on is delivered, never skipped, and of what lay in front of that nobody knows anything.
 * To be called by who holds the lease: nobody else can move the position then.
 * @param device its group, and of one that was never there how many offsets back from the log's end it begins
 * @returns as `end` where the log ends
 * @throws EngineError `NO_INBOX`, `UNAVAILABLE`
 */
export async function findStartingPoint(
  around: Surroundings,
  owner: Account,
  topic: string,
  { group, last = 0 }: { readonly group: string; readonly last?: number | undefined },
  deadline: number,
): Promise<StartingPoint & { readonly end: number }> {
  const known = await readPatiently(around, owner, topic, deadline);
  const { log, stats } = around;
  const { start, end, epoch, correspondents } = known;
  const committed = known.positions.get(group) ?? null;
  const isMain = group === topic;
  if (committed === null && isMain && end > 0) log.warn({ topic, start, end }, NO_POSITION);
  const position =
    committed ??
    (isMain ? null : newcomersPosition(known, last)) ??
    new Position(new DeliveredOffsets(start));
  const { top } = position.delivered;
  const isSure = position.epoch === UNKNOWN_EPOCH || (position.epoch === epoch && top <= end);
  const ask = () => stats.epochEnd(topic, position.epoch);
  const ends = isSure ? null : await retry(`epochs of ${topic}`, deadline, ask);
  const surprise = position.resume(known, ends);
  const isNew = surprise.gone > 0 || position.delivered.top < top;
  if (isNew) {
    const fields = { topic, committed: top, start, end, epoch, from: position.delivered.low };
    log.warn({ ...fields, ...surprise }, 'an inbox is not what was committed: see docs/operations.md');
  }
  return { position, correspondents, surprise, isNew: isNew || committed === null, epoch, end };
}

/** Where a device begins that was never there: with what no device has, and with the newest whoever has them. */
function newcomersPosition({ positions, start, end }: MailboxStats, last: number): Position | null {
  const others = [...positions.values()].filter((position) => position !== null);
  if (others.length === 0) return null;
  const position = Position.union(others);
  if (last > 0) {
    const from = Math.max(start, end - last);
    position.delivered.cut(from);
    position.gone.cut(from);
  }
  return position;
}

/** A topic that is not there yet may merely be new. */
async function readPatiently(
  around: Surroundings,
  owner: Account,
  topic: string,
  deadline: number,
): Promise<MailboxStats> {
  const giveUp = now() + UNKNOWN_TOPIC_MS;
  return retry(`look at ${topic}`, deadline, () => {
    const known = statsOfOwn(around, owner, topic);
    if (now() < giveUp) return expectTopic(topic, known);
    return known.catch((error) => {
      throw isUnknownTopic(error) ? noInbox(topic) : error;
    });
  });
}

/** @throws KafkaError UNKNOWN_TOPIC_ID where another topic has the name, and what `MailboxStatsReader.read` throws */
async function statsOfOwn(
  { cluster, stats }: Surroundings,
  owner: Account,
  topic: string,
): Promise<MailboxStats> {
  // Asked for anew: what is known may be of a topic that was deleted.
  cluster.forgetLeader(topic);
  const known = await stats.read(owner);
  const { topicId } = await cluster.leader(topic);
  expectNone(`the id of ${topic}`, topicId === owner.topicId ? KafkaCode.NONE : KafkaCode.UNKNOWN_TOPIC_ID);
  return known;
}
