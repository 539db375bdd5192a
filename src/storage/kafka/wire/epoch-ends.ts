import { offsetForLeaderEpochV4 } from '@platformatic/kafka';
import { type EpochEnd, UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { askByNode } from './by-node.ts';
import type { Cluster } from './cluster.ts';
import { isRetriable, KafkaCode, KafkaError } from './kafka-error.ts';

/** How far has that topic's log records of that leader epoch? */
export interface EpochQuestion {
  readonly topic: string;
  readonly epoch: number;
}

type Answer = offsetForLeaderEpochV4.OffsetForLeaderEpochResponsePartition;

const CONSUMER = -1;

/**
 * Asks the leaders of topics how far their logs have a leader epoch, up to their ends and not only to what is safe on
 * all replicas. One request for each broker; the error where that failed for one.
 */
export async function readEpochEnds(
  cluster: Cluster,
  questions: readonly EpochQuestion[],
): Promise<(EpochEnd | Error)[]> {
  const epochs = new Map<string, number[]>();
  // The answers about one topic come in this order.
  const places = questions.map(({ topic, epoch }) => {
    const asked = epochs.get(topic) ?? [];
    epochs.set(topic, asked);
    return asked.push(epoch) - 1;
  });
  const found = await askByNode<readonly Answer[]>([...epochs.keys()], {
    nodeOf: async (topic) => (await cluster.leader(topic)).node,
    ask: async (node, topics, into) => {
      const asked = topics.map((name) => {
        const currentLeaderEpoch = cluster.knownLeader(name)?.epoch ?? UNKNOWN_EPOCH;
        const partitions = (epochs.get(name) ?? []).map((leaderEpoch) => {
          return { partitionIndex: 0, currentLeaderEpoch, leaderEpoch };
        });
        return { name, partitions };
      });
      const response = await cluster.request(node, 'control', offsetForLeaderEpochV4.api, CONSUMER, asked);
      for (const { topic, partitions } of response.topics) into.set(topic, partitions);
    },
    forget: (topic) => cluster.forgetLeader(topic),
  });
  return questions.map(({ topic }, index) => {
    const answers = found.get(topic);
    return answers instanceof Error ? answers : endOf(cluster, topic, answers?.[places[index] ?? 0]);
  });
}

function endOf(cluster: Cluster, topic: string, answer: Answer | undefined): EpochEnd | Error {
  const code = answer?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
  if (isRetriable(code) || code === KafkaCode.UNKNOWN_TOPIC_OR_PARTITION) cluster.forgetLeader(topic);
  if (answer === undefined || code !== KafkaCode.NONE) {
    return new KafkaError(`OffsetForLeaderEpoch ${topic}`, code);
  }
  return { epoch: answer.leaderEpoch, end: Number(answer.endOffset) };
}
