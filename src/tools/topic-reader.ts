import { setTimeout as sleep } from 'node:timers/promises';
import { FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import { UNKNOWN_EPOCH } from '../core/epochs.ts';
import { expectAllLed, findPartitions, listPartitionOffsets } from '../storage/kafka/follow/partitions.ts';
import type { Cluster } from '../storage/kafka/wire/cluster.ts';
import { type FetchedTopic, fetch, wanted } from '../storage/kafka/wire/fetch.ts';
import { type LeftOut, readRecords, tellLeftOut } from '../storage/kafka/wire/fetched-records.ts';
import { expectNone, isRetriable, KafkaCode } from '../storage/kafka/wire/kafka-error.ts';
import type { RawRecord } from '../storage/kafka/wire/log-batch.ts';
import { now, worthRetrying } from '../storage/kafka/wire/retry.ts';

/** Longest time that the broker keeps a request while nothing new comes. */
const WAIT_MS = 500;
const FETCH_BYTES = 1024 * 1024;
const PAUSE_MS = 500;
/** So long Kafka may be away before this gives up. */
const PATIENCE_MS = 120_000;

export interface TopicReaderOptions {
  readonly cluster: Cluster;
  readonly topic: string;
  /** Called with what comes, in order for each partition; nothing more is fetched until it resolves. */
  readonly onRecords: (partition: number, records: readonly RawRecord[]) => Promise<void>;
  readonly onLeftOut: (leftOut: LeftOut) => void;
  readonly signal: AbortSignal;
}

/** A topic's partitions from their first records on, as frontends read inboxes: uncommitted, and unpacked within bounds. */
export class TopicReader {
  readonly #options: TopicReaderOptions;
  /** The next offset of each partition. */
  readonly #positions = new Map<number, number>();
  #topicId = '';
  #heardAt = now();

  constructor(options: TopicReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads until it is aborted, and waits out a restart of Kafka.
   * @throws the network's error when Kafka was away for two minutes; KafkaError when the topic is gone
   */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        const found = await findPartitions(this.#options.cluster, this.#options.topic);
        expectAllLed(this.#options.topic, found);
        const { topicId, byNode } = found;
        this.#topicId = topicId;
        await Promise.all([...byNode].map(([node, partitions]) => this.#read(node, partitions)));
      } catch (error) {
        if (!worthRetrying(error) || now() - this.#heardAt > PATIENCE_MS) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  /** Until one of them is led from elsewhere, or it is aborted. @throws the network's error */
  async #read(node: number, partitions: readonly number[]): Promise<void> {
    const { cluster, signal } = this.#options;
    await this.#findStarts(
      node,
      partitions.filter((partition) => !this.#positions.has(partition)),
    );
    for (let first = 0; !signal.aborted; first++) {
      // Another one is the first each time: what fills the answer alone must not keep out the others.
      const order = partitions.map((_, i) => partitions[(first + i) % partitions.length] ?? 0);
      const topics = order.map((partition) => {
        const place = { offset: this.#positions.get(partition) ?? 0, epoch: UNKNOWN_EPOCH };
        return wanted(this.#topicId, place, UNKNOWN_EPOCH, FETCH_BYTES, partition);
      });
      const response = await cluster.request(
        node,
        'read',
        fetch,
        WAIT_MS,
        1,
        FETCH_BYTES,
        FetchIsolationLevels.READ_UNCOMMITTED,
        0,
        -1,
        [{ topicId: this.#topicId, partitions: topics.flatMap((topic) => topic.partitions) }],
        [],
        '',
      );
      this.#heardAt = now();
      expectNone('Fetch', response.errorCode);
      for (const fetched of response.topics) {
        if (!(await this.#take(node, fetched))) return;
      }
    }
  }

  /** @returns false when its leader must be looked for */
  async #take(node: number, { partition, errorCode, records: batches }: FetchedTopic): Promise<boolean> {
    if (errorCode === KafkaCode.OFFSET_OUT_OF_RANGE) {
      await this.#findStarts(node, [partition]);
      return true;
    }
    if (isRetriable(errorCode)) return false;
    expectNone(`Fetch ${this.#options.topic}`, errorCode);
    const read = readRecords(batches, this.#positions.get(partition) ?? 0);
    await this.#options.onRecords(partition, read.records);
    tellLeftOut(partition, read, this.#options.onLeftOut);
    this.#positions.set(partition, read.nextOffset);
    return true;
  }

  async #findStarts(node: number, partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return;
    const { cluster, topic } = this.#options;
    const starts = await listPartitionOffsets(
      cluster,
      node,
      topic,
      partitions,
      ListOffsetTimestamps.EARLIEST,
    );
    for (const [partition, start] of starts) this.#positions.set(partition, start);
  }
}
