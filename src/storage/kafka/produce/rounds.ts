import type { Cluster } from '../wire/cluster.ts';
import { isNoTopic, isRefusal, isRetriable, KafkaCode } from '../wire/kafka-error.ts';
import {
  BY_ID_VERSION,
  type IdBatch,
  PRODUCE_KEY,
  produce,
  produceById,
  type TopicBatch,
  type TopicResult,
  topicIdBytes,
} from '../wire/produce.ts';
import type { Producer } from '../wire/record-batch.ts';
import { now } from '../wire/retry.ts';
import { type Batch, makeBatch, type Partition } from './batch.ts';
import type { PartitionLeaders } from './partition-leaders.ts';

/** Bytes of one Produce request; what is left over goes with the next. */
const MAX_REQUEST_BYTES = 2 * 1024 * 1024;

/** What goes to one broker in one request. */
export type Round = Map<Partition, Batch>;

export interface Gathering {
  readonly producer: Producer;
  readonly leaders: Pick<PartitionLeaders, 'of'>;
  /** Whether a broker takes no further request now. */
  readonly isBusy: (node: number) => boolean;
  /** Called for what has no leader and is not being asked about. */
  readonly onNoLeader: (partition: Partition) => void;
}

/**
 * Makes the batches of one round, per broker: for brokers that are not busy and partitions that are due.
 * @param ready partitions with something to send, without those that are sent when this has returned
 * @returns as `nextDue` when the next one is due, on the clock of `now`
 */
export function gatherRounds(
  ready: Set<Partition>,
  { producer, leaders, isBusy, onNoLeader }: Gathering,
): { readonly rounds: ReadonlyMap<number, Round>; readonly nextDue: number } {
  const rounds = new Map<number, Round>();
  const bytesOf = new Map<number, number>();
  const moment = now();
  let nextDue = Number.POSITIVE_INFINITY;
  for (const partition of ready) {
    // Its senders were all told that it took too long.
    if (!partition.batch && partition.queue.length === 0) {
      ready.delete(partition);
      continue;
    }
    const leader = leaders.of(partition);
    if (!leader || partition.batch?.sending) {
      // Comes back when the leader is known, or the batch is answered.
      ready.delete(partition);
      if (!leader && !partition.locating) onNoLeader(partition);
      continue;
    }
    if (partition.batch && partition.batch.notBefore > moment) {
      nextDue = Math.min(nextDue, partition.batch.notBefore);
      continue;
    }
    const bytes = bytesOf.get(leader.node) ?? 0;
    // What does not go with this request is looked at again when a request to that broker is answered.
    if (isBusy(leader.node) || bytes > MAX_REQUEST_BYTES) continue;
    partition.batch ??= makeBatch(partition, producer);
    const { batch } = partition;
    batch.epoch = leader.epoch;
    const round: Round = rounds.get(leader.node) ?? new Map();
    ready.delete(partition);
    round.set(partition, batch);
    rounds.set(leader.node, round);
    bytesOf.set(leader.node, bytes + batch.bytes.length);
  }
  return { rounds, nextDue };
}

type Answer = [partition: Partition, result: TopicResult];

/**
 * Sends one batch for each of several partitions to the broker that leads them, each into the very topic that is meant. From Kafka
 * 4.1 on topics are named by their ids. Before, by their names: then the broker that has taken a batch is asked afterwards
 * whether the name is that topic's. Ids are never used again, and a broker knows of a new topic before it takes records for it, so
 * what is right then was right before.
 * @returns Kafka's word on each batch that it has one for
 * @throws the network's error: any of them may have been stored
 */
export async function sendRound(
  cluster: Cluster,
  node: number,
  round: Round,
  timeoutMs: number,
): Promise<Answer[]> {
  const version = await cluster.latestVersion(node, 'produce', PRODUCE_KEY);
  if (version < BY_ID_VERSION) return sendByName(cluster, node, round, timeoutMs);
  const asked = new Map<string, Partition>();
  const batches: IdBatch[] = [];
  for (const [partition, { bytes }] of round) {
    const id = partition.idBytes ?? knownId(cluster, partition.topic);
    if (id === null) continue;
    asked.set(id.toString('latin1'), partition);
    batches.push({ id, bytes });
  }
  if (batches.length === 0) return [];
  const { results } = await cluster.request(node, 'produce', produceById, timeoutMs, batches);
  return answersOf(asked, results);
}

function knownId(cluster: Cluster, topic: string): Buffer | null {
  const leader = cluster.knownLeader(topic);
  return leader === undefined ? null : topicIdBytes(leader.topicId);
}

async function sendByName(
  cluster: Cluster,
  node: number,
  round: Round,
  timeoutMs: number,
): Promise<Answer[]> {
  const asked = new Map<string, Partition>();
  const batches: TopicBatch[] = [];
  for (const [partition, { bytes }] of round) {
    asked.set(partition.topic, partition);
    batches.push({ topic: partition.topic, bytes });
  }
  const { results } = await cluster.request(node, 'produce', produce, timeoutMs, batches);
  const answers = answersOf(asked, results);
  const mayBeElsewhere = ([{ topicId }, { errorCode }]: Answer) =>
    topicId !== null && errorCode === KafkaCode.NONE;
  const stored = answers.filter(mayBeElsewhere).map(([{ topic }]) => topic);
  if (stored.length === 0) return answers;
  const ids = await cluster.topicIds(node, stored);
  return answers.map((answer) => {
    const [partition, result] = answer;
    if (!mayBeElsewhere(answer) || ids.get(partition.topic) === partition.topicId) return answer;
    return [partition, { ...result, errorCode: KafkaCode.UNKNOWN_TOPIC_ID }];
  });
}

function answersOf(asked: ReadonlyMap<string, Partition>, results: readonly TopicResult[]): Answer[] {
  return results.flatMap((result) => {
    const partition = asked.get(result.topic);
    return partition === undefined ? [] : [[partition, result]];
  });
}

/** After these a batch may be in the log all the same. */
const OPEN: ReadonlySet<number> = new Set([
  KafkaCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  KafkaCode.REQUEST_TIMED_OUT,
]);

const OUT_OF_SEQUENCE: ReadonlySet<number> = new Set([
  KafkaCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  KafkaCode.UNKNOWN_PRODUCER_ID,
  KafkaCode.INVALID_PRODUCER_EPOCH,
]);

/**
 * What Kafka's word on a batch means, where that is an error:
 * - `again`: the same bytes go again;
 * - `too large`: nothing was stored, and the topic is to blame;
 * - `out of sequence`: never sent before, so surely not stored: again under a new identity (the topic was made anew, or the
 *   broker has forgotten this producer);
 * - `refused`: not allowed;
 * - `unknown`: it may have been stored.
 */
type Outcome = 'again' | 'again, may be stored' | 'too large' | 'out of sequence' | 'refused' | 'unknown';

/** @param tries how often the batch was sent */
export function outcomeOf(code: number, tries: number): Outcome {
  if (isNoTopic(code) || isRetriable(code)) return OPEN.has(code) ? 'again, may be stored' : 'again';
  if (code === KafkaCode.MESSAGE_TOO_LARGE || code === KafkaCode.RECORD_LIST_TOO_LARGE) return 'too large';
  if (tries === 1 && OUT_OF_SEQUENCE.has(code)) return 'out of sequence';
  return isRefusal(code) ? 'refused' : 'unknown';
}
