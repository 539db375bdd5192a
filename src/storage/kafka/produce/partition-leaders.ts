import { EngineError } from '../../../core/errors.ts';
import type { Cluster, Leader } from '../wire/cluster.ts';
import { isRefusal, isUnknownTopic, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { noInbox, UNKNOWN_TOPIC_MS } from '../wire/topics.ts';
import type { Partition } from './batch.ts';

/** Who leads a partition is asked for again after this. */
export const RETRY_PAUSE_MS = 50;

/** Who leads the partitions that are appended to. */
export class PartitionLeaders {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The leader of the topic that is meant, if it is known. */
  of({ topic, topicId }: Partition): Leader | undefined {
    const leader = this.#cluster.knownLeader(topic);
    return topicId === null || leader?.topicId === topicId ? leader : undefined;
  }

  forget({ topic }: Partition): void {
    this.#cluster.forgetLeader(topic);
  }

  /**
   * Asks for the leader, one question at a time for each partition.
   * @returns why there is none and will be none; null where there may be one now
   */
  async find(partition: Partition): Promise<EngineError | null> {
    partition.locating = true;
    try {
      await this.#locate(partition);
      partition.missingSince = 0;
      return null;
    } catch (error) {
      if (isUnknownTopic(error)) {
        partition.missingSince ||= now();
        if (now() - partition.missingSince > UNKNOWN_TOPIC_MS) return noInbox(partition.topic);
      }
      if (error instanceof KafkaError && isRefusal(error.kafkaCode)) return refused(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
      return null;
    } finally {
      partition.locating = false;
    }
  }

  /** @throws KafkaError UNKNOWN_TOPIC_ID where another topic has the name, and what `Cluster.leader` throws */
  async #locate({ topic, topicId }: Partition): Promise<void> {
    const { topicId: found } = await this.#cluster.leader(topic);
    if (topicId === null || found === topicId) return;
    // What is known may be of before: it is asked for anew.
    this.#cluster.forgetLeader(topic);
    throw new KafkaError(`the id of ${topic}`, KafkaCode.UNKNOWN_TOPIC_ID);
  }
}

/** What a sender hears of what Kafka does not allow. */
export function refused(cause: KafkaError): EngineError {
  return new EngineError('REFUSED', `${cause.message} ${cause.remedy}`, { cause });
}
