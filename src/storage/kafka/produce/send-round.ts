import type { Cluster } from '../wire/cluster.ts';
import { KafkaCode } from '../wire/kafka-error.ts';
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
import type { Partition } from './batch.ts';
import type { Round } from './rounds.ts';

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
