import { setTimeout as sleep } from 'node:timers/promises';
import { FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { MAX_WINDOW_PARTITIONS } from '../../../core/windows.ts';
import { findPartitions, listPartitionOffsets } from '../follow/partitions.ts';
import type { Cluster } from '../wire/cluster.ts';
import { isRefusal, isUnknownTopic, KafkaError } from '../wire/kafka-error.ts';
import { longerPause, now, whyOf } from '../wire/retry.ts';

/** Between two looks at where a topic ends; each partition costs the broker some 7 µs. */
const LEAST_PAUSE_MS = 250;
const MS_FOR_EACH_PARTITION = 1;
/** Of all topics together some hundred times a second. */
const MS_FOR_EACH_TOPIC = 10;
/** Between two looks at which partitions there are, and whose the name is. */
const METADATA_MS = 5_000;
const LONGEST_PAUSE_MS = 5_000;

/** A partition, as of the last look. */
interface Partition {
  /** Who leads it. */
  readonly node: number;
  /** The next offset that is committed: what is of an open transaction, and all behind it, is not there yet. */
  readonly end: number;
}

/** Who shows a topic. */
export interface TopicListener {
  /** It was looked at: anything may have changed. */
  onLook(): void;
  /** Something is to be said of it: that it is gone, may not be read, has other partitions. */
  onWord(sentence: string): void;
  /** The name is another topic's by now: its offsets mean other records. */
  onRemade(): void;
}

/**
 * A topic of others that somebody here follows, looked at however many they are: where its partitions end, who leads them, and whether
 * it is the one that it was.
 */
export class TopicWatch {
  readonly topic: string;
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #topics: () => number;
  readonly #listeners = new Set<TopicListener>();
  readonly #closed = new AbortController();
  #topicId = '';
  #partitions = new Map<number, Partition>();
  /** When the metadata were read; they are read anew after whatever went wrong. */
  #readAt = Number.NEGATIVE_INFINITY;
  #trouble: string | null = null;

  /** @param topics how many are watched in all */
  constructor(cluster: Cluster, log: Logger, topic: string, topics: () => number) {
    this.#cluster = cluster;
    this.#log = log;
    this.#topics = topics;
    this.topic = topic;
    void this.#run();
  }

  /** Kafka's id of it (a UUID); empty before the first look. */
  get topicId(): string {
    return this.#topicId;
  }

  get partitions(): ReadonlyMap<number, Partition> {
    return this.#partitions;
  }

  /** What is wrong with it, in a sentence. */
  get trouble(): string | null {
    return this.#trouble;
  }

  get isUnused(): boolean {
    return this.#listeners.size === 0;
  }

  add(listener: TopicListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: TopicListener): void {
    this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed.abort();
  }

  /** Something was not as it was known: its leaders are looked for with the next look. */
  doubt(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    let pause = LEAST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        await this.#look();
        if (signal.aborted) return;
        this.#is(null);
        for (const listener of [...this.#listeners]) listener.onLook();
        const share = this.#partitions.size * MS_FOR_EACH_PARTITION + this.#topics() * MS_FOR_EACH_TOPIC;
        pause = Math.max(LEAST_PAUSE_MS, share);
      } catch (error) {
        this.doubt();
        if (signal.aborted) return;
        this.#failed(error);
        pause = longerPause(pause, LONGEST_PAUSE_MS);
      }
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    if (now() - this.#readAt >= METADATA_MS) await this.#readMetadata();
    const byNode = new Map<number, number[]>();
    for (const [partition, { node }] of this.#partitions) {
      const led = byNode.get(node);
      if (led === undefined) byNode.set(node, [partition]);
      else led.push(partition);
    }
    await Promise.all([...byNode].map(([node, partitions]) => this.#readEnds(node, partitions)));
  }

  async #readMetadata(): Promise<void> {
    const { topicId, byNode } = await findPartitions(this.#cluster, this.topic);
    const before = this.#partitions;
    const isRemade = this.#topicId !== '' && this.#topicId !== topicId;
    const found = new Map<number, Partition>();
    for (const [node, partitions] of byNode)
      for (const partition of partitions)
        if (partition < MAX_WINDOW_PARTITIONS)
          found.set(partition, { node, end: isRemade ? 0 : (before.get(partition)?.end ?? 0) });
    this.#topicId = topicId;
    this.#partitions = found;
    this.#readAt = now();
    if (isRemade) {
      this.#say(`The topic ${this.topic} was deleted and made again: its first records come next.`);
      for (const listener of [...this.#listeners]) listener.onRemade();
    } else if (before.size > 0 && found.size !== before.size) {
      this.#say(`The topic ${this.topic} has ${found.size} partitions now.`);
    }
    const all = [...byNode.values()].flat().length;
    if (all > found.size && before.size === 0)
      this.#say(`Of ${all} partitions of ${this.topic} the first ${found.size} are shown.`);
  }

  async #readEnds(node: number, partitions: readonly number[]): Promise<void> {
    const committed = FetchIsolationLevels.READ_COMMITTED;
    const { LATEST } = ListOffsetTimestamps;
    const ends = await listPartitionOffsets(this.#cluster, node, this.topic, partitions, LATEST, committed);
    for (const [partition, end] of ends)
      if (this.#partitions.has(partition)) this.#partitions.set(partition, { node, end });
  }

  #failed(error: unknown): void {
    const isOfTopic = isUnknownTopic(error) || (error instanceof KafkaError && isRefusal(error.kafkaCode));
    if (!isOfTopic) this.#log.debug({ ...whyOf(error), topic: this.topic }, 'a topic was not looked at');
    else if (isUnknownTopic(error)) this.#is(`There is no topic ${this.topic} any more.`);
    else this.#is(`The server may not read ${this.topic}: it needs the right Read on it.`);
  }

  /** Each trouble is said once, and its end. */
  #is(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#say(trouble ?? `The topic ${this.topic} is read again.`);
  }

  #say(sentence: string): void {
    for (const listener of [...this.#listeners]) listener.onWord(sentence);
  }
}
