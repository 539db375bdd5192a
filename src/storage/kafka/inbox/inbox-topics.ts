import {
  deleteRecordsV2,
  deleteTopicsV6,
  FetchIsolationLevels,
  ListOffsetTimestamps,
  listOffsetsV9,
  metadataV12,
} from '@platformatic/kafka';
import { RequestBatcher } from '../../../util/request-batcher.ts';
import { changeSettings } from '../check/topic-settings.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, isNoTopic, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { allows } from '../wire/operations.ts';
import { now, retry } from '../wire/retry.ts';
import { createTopics, deleteTopics, UNKNOWN_TOPIC_MS } from '../wire/topics.ts';

/** Topics in one request to create or delete them. */
const MAX_TOPICS = 100;
/** Topics asked about in one request. */
const MAX_QUESTIONS = 1_000;
const DELETE_RECORDS_TIMEOUT_MS = 5_000;
/** To the end of a partition (DeleteRecords). */
const TO_THE_END = -1n;
const POLL_MS = 50;

/** A topic as it is now. */
export interface FoundTopic {
  readonly topicId: string;
  /** Who leads each partition; -1: nobody does now. */
  readonly leaders: readonly number[];
}

/** Where the topic of an inbox that had none comes from. */
export interface RestoredTopic {
  readonly topicId: string;
  /** `made`: there was none of that name, or an empty one of no use. `taken over`: one that others have made. */
  readonly how: 'made' | 'taken over';
  /** Only the first one is an inbox: what others write to the rest is never read. */
  readonly partitions: number;
}

/**
 * The topics of inboxes, or of rooms: makes and deletes them, many in one request (Kafka's controller takes some 30 ms for a request, whether
 * it is about one topic or about thirty, and answers one after the other), and takes over those that others have made.
 */
export class InboxTopics {
  readonly #cluster: Cluster;
  readonly #config: Readonly<Record<string, string>>;
  readonly #creations: RequestBatcher<string, string | null>;
  readonly #deletions: RequestBatcher<string, null>;

  /** @param config settings of those that are made, and taken over */
  constructor(cluster: Cluster, replicationFactor: number, config: Readonly<Record<string, string>>) {
    this.#cluster = cluster;
    this.#config = config;
    this.#creations = new RequestBatcher(MAX_TOPICS, (names) =>
      createTopics(cluster, names, replicationFactor, config),
    );
    this.#deletions = new RequestBatcher(MAX_TOPICS, (ids) => deleteTopics(cluster, ids));
  }

  /**
   * @returns Kafka's id of the topic (a UUID), or null when a topic of that name exists
   * @throws KafkaError, or the network's
   */
  create(name: string): Promise<string | null> {
    return this.#creations.ask(name);
  }

  /**
   * Asks whether this frontend may delete a topic, before anything is done that cannot be taken back.
   * @throws KafkaError TOPIC_AUTHORIZATION_FAILED; the network's
   */
  async demandDeletable(name: string): Promise<void> {
    const { topics } = await this.#cluster.requestAny(metadataV12.api, [name], false, true);
    const { errorCode, topicAuthorizedOperations: rights } = topics[0] ?? {};
    if (errorCode !== KafkaCode.NONE || rights === undefined || allows(rights, 'Delete')) return;
    const code = KafkaCode.TOPIC_AUTHORIZATION_FAILED;
    this.#cluster.noteRefusal(deleteTopicsV6.api.key, code, name);
    throw new KafkaError(`DeleteTopics ${name}`, code);
  }

  /**
   * Deletes a topic by its id, never by its name: another life of the name may have a new topic by now.
   * A topic that is gone already is fine.
   * @throws KafkaError, or the network's
   */
  async delete(topicId: string): Promise<void> {
    await this.#deletions.ask(topicId);
  }

  /**
   * The same. @returns false where the brokers' settings forbid it (`delete.topic.enable`)
   * @throws EngineError `UNAVAILABLE`; KafkaError
   */
  async deleteIfAllowed(topicId: string, deadline: number): Promise<boolean> {
    try {
      await retry(`delete ${topicId}`, deadline, () => this.delete(topicId));
      return true;
    } catch (error) {
      const isForbidden =
        error instanceof KafkaError && error.kafkaCode === KafkaCode.TOPIC_DELETION_DISABLED;
      if (isForbidden) return false;
      throw error;
    }
  }

  /** The topic that has this name now. @throws EngineError `UNAVAILABLE` */
  async find(name: string, deadline: number): Promise<FoundTopic | null> {
    this.#cluster.forgetLeader(name);
    const found = await retry(`look for ${name}`, deadline, () => findTopics(this.#cluster, [name]));
    return found.get(name) ?? null;
  }

  /**
   * Makes a topic that others have made an inbox with nothing in it, for a new account: what is in it was meant for nobody, or for
   * a former owner. For where it cannot be deleted, or comes back at once: some producers make their topic again and again.
   * @returns false where it is another one by now
   * @throws EngineError `UNAVAILABLE`; KafkaError where that is not allowed
   */
  async takeOverEmpty(name: string, wanted: FoundTopic, deadline: number): Promise<boolean> {
    await this.#bringSettings(name, deadline);
    await this.#empty(name, wanted, deadline);
    const found = await this.find(name, deadline);
    return found?.topicId === wanted.topicId;
  }

  /**
   * Ends the mail of a deleted account: its topic, or where the brokers delete none (`delete.topic.enable`) what is in it.
   * @throws EngineError `UNAVAILABLE`; KafkaError
   */
  async erase(name: string, topicId: string, deadline: number): Promise<void> {
    if (await this.deleteIfAllowed(topicId, deadline)) return;
    const found = await this.find(name, deadline);
    if (found?.topicId === topicId) await this.#empty(name, found, deadline);
  }

  async #empty(name: string, { leaders }: FoundTopic, deadline: number): Promise<void> {
    for (const [index, node] of leaders.entries()) {
      const topics = [{ name, partitions: [{ partitionIndex: index, offset: TO_THE_END }] }];
      await retry(`empty ${name}`, deadline, async () => {
        const response = await this.#cluster.request(
          node,
          'control',
          deleteRecordsV2.api,
          topics,
          DELETE_RECORDS_TIMEOUT_MS,
        );
        const code = response.topics[0]?.partitions[0]?.errorCode;
        expectNone(`DeleteRecords ${name}`, code ?? KafkaCode.REQUEST_TIMED_OUT);
      });
    }
  }

  /**
   * A topic for an inbox whose own is gone: the one that has its name by now, with all that is in it, or a new one. One that has
   * several partitions and nothing in them is replaced.
   * @param lostId the one that the inbox had
   * @returns null where that is there after all
   * @throws EngineError `UNAVAILABLE`; KafkaError where that is not allowed
   */
  async restore(name: string, lostId: string, deadline: number): Promise<RestoredTopic | null> {
    // Brokers hear of new topics and of deletions some ms later.
    const patience = Math.min(now() + UNKNOWN_TOPIC_MS, deadline);
    for (;;) {
      const found = await this.find(name, deadline);
      if (found === null) {
        const topicId = await retry(`create ${name}`, deadline, () => this.create(name));
        if (topicId !== null) return { topicId, how: 'made', partitions: 1 };
      } else if (found.topicId !== lostId) {
        const partitions = found.leaders.length;
        const isOfNoUse = partitions > 1 && (await this.#isEmpty(name, found, deadline));
        if (!isOfNoUse || !(await this.deleteIfAllowed(found.topicId, deadline))) {
          await this.#bringSettings(name, deadline);
          return { topicId: found.topicId, how: 'taken over', partitions };
        }
      } else if (now() > patience) return null;
      if (now() > deadline) throw new KafkaError(`${name} keeps appearing`, KafkaCode.REQUEST_TIMED_OUT);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #bringSettings(name: string, deadline: number): Promise<void> {
    const failed = await retry(`settings of ${name}`, deadline, () =>
      changeSettings(this.#cluster, [name], this.#config),
    );
    for (const error of failed.values()) throw error;
  }

  async #isEmpty(name: string, { leaders }: FoundTopic, deadline: number): Promise<boolean> {
    for (const [index, node] of leaders.entries()) {
      const [start, end] = await Promise.all(
        [ListOffsetTimestamps.EARLIEST, ListOffsetTimestamps.LATEST].map((timestamp) =>
          retry(`offsets of ${name}`, deadline, () => offsetOf(this.#cluster, node, name, index, timestamp)),
        ),
      );
      if (start !== end) return false;
    }
    return true;
  }
}

/**
 * The topics of these names, or all of them.
 * @throws KafkaError, or the network's
 */
export async function findTopics(
  cluster: Cluster,
  names: readonly string[] | null,
): Promise<Map<string, FoundTopic>> {
  const found = new Map<string, FoundTopic>();
  for (let from = 0; names === null || from < names.length; from += MAX_QUESTIONS) {
    // The library's types know no "all topics"; its writer encodes null as Kafka wants it.
    const asked = names === null ? (null as unknown as string[]) : names.slice(from, from + MAX_QUESTIONS);
    const { topics } = await cluster.requestAny(metadataV12.api, asked, false, false);
    for (const { name, topicId, errorCode, partitions } of topics) {
      if (isNoTopic(errorCode)) continue;
      expectNone(`Metadata ${name}`, errorCode);
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      found.set(name ?? '', { topicId, leaders });
    }
    if (names === null) break;
  }
  return found;
}

async function offsetOf(
  cluster: Cluster,
  node: number,
  name: string,
  partitionIndex: number,
  timestamp: bigint,
): Promise<bigint> {
  const partitions = [{ partitionIndex, currentLeaderEpoch: -1, timestamp }];
  const { topics } = await cluster.request(
    node,
    'control',
    listOffsetsV9.api,
    -1,
    FetchIsolationLevels.READ_UNCOMMITTED,
    [{ name, partitions }],
  );
  const answer = topics[0]?.partitions[0];
  expectNone(`ListOffsets ${name}`, answer?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT);
  return answer?.offset ?? -1n;
}
