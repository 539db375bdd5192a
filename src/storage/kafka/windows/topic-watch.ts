import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MAX_WINDOW_PARTITIONS } from '../../../core/windows.ts';
import { findPartitions, listCommittedEnds } from '../follow/partitions.ts';
import type { Cluster } from '../wire/cluster.ts';
import { isRefusal, isUnknownTopic, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { longerPause, now, whyOf } from '../wire/retry.ts';

/** Between two looks at where a topic ends; each partition costs the broker some 7 µs. */
const LEAST_PAUSE_MS = 250;
const MS_FOR_EACH_PARTITION = 1;
/** Of all topics together some hundred times a second. */
const MS_FOR_EACH_TOPIC = 10;
/** Between two looks at which partitions there are, and whose the name is. */
const METADATA_MS = 5_000;
const LONGEST_PAUSE_MS = 5_000;
/** Brokers are waited for so long in a look. */
const ANSWER_MS = 500;
/** It is said when nothing comes for so long: leaders change within a second or two. */
const MISSING_MS = 5_000;
/** So many partitions are named in that. */
const NAMED = 5;

/** A partition, as of the last look. */
interface Partition {
  /** Who leads it. */
  readonly node: number;
  /** The next offset that is committed: what is of an open transaction, and all behind it, is not there yet. */
  readonly end: number;
  /** When that was asked, on the clock of `now`. */
  readonly askedAt: number;
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
  /** Only those whose end was told, by a leader that may have gone since. */
  readonly #partitions = new Map<number, Partition>();
  /** Who leads which partition, by the metadata; and how many there are, at most `MAX_WINDOW_PARTITIONS`. */
  readonly #leaders = new Map<number, number>();
  #count = 0;
  /** Brokers that have not answered yet. */
  readonly #asked = new Set<number>();
  /** Partitions of which nothing is told, and since when. */
  readonly #missing = new Map<number, number>();
  #lookedAt = now();
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
        this.#lookedAt = now();
        this.#is(this.#partlyMissing());
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

  /** Of brokers that do not answer soon the answers count with a later look: what the others lead is shown meanwhile. */
  async #look(): Promise<void> {
    const began = now();
    if (began - this.#readAt >= METADATA_MS) await this.#readMetadata();
    const byNode = new Map<number, number[]>();
    for (const [partition, node] of this.#leaders) {
      const led = byNode.get(node);
      if (led === undefined) byNode.set(node, [partition]);
      else led.push(partition);
    }
    const failures: unknown[] = [];
    const free = [...byNode].filter(([node]) => !this.#asked.has(node));
    const asked = free.map(([node, partitions]) =>
      this.#readEnds(node, partitions, this.#readAt >= began).then((found) => failures.push(...found)),
    );
    const soon = new AbortController();
    const { signal } = soon;
    await Promise.race([Promise.all(asked), sleep(ANSWER_MS, undefined, { signal }).catch(() => {})]);
    soon.abort();
    if (failures.length === 0) return;
    this.doubt();
    const [failure] = failures;
    if (failures.length === this.#leaders.size) throw failure;
    this.#log.debug({ ...whyOf(failure), topic: this.topic }, 'not all of a topic was looked at');
  }

  async #readMetadata(): Promise<void> {
    const { topicId, byNode, leaderless } = await findPartitions(this.#cluster, this.topic);
    const isRemade = this.#topicId !== '' && this.#topicId !== topicId;
    const before = isRemade ? 0 : this.#count;
    const all = [...byNode.values()].flat().concat(leaderless);
    this.#leaders.clear();
    for (const [node, partitions] of byNode)
      for (const partition of partitions)
        if (partition < MAX_WINDOW_PARTITIONS) this.#leaders.set(partition, node);
    this.#count = Math.min(all.length, MAX_WINDOW_PARTITIONS);
    this.#topicId = topicId;
    this.#readAt = now();
    // Whom nobody leads is missing from now on, or from when it was.
    for (const partition of leaderless) if (partition < MAX_WINDOW_PARTITIONS) this.#isMissing(partition);
    if (isRemade) {
      this.#partitions.clear();
      this.#missing.clear();
      this.#say(`The topic ${this.topic} was deleted and made again: its first records come next.`);
      for (const listener of [...this.#listeners]) listener.onRemade();
    } else if (before > 0 && this.#count !== before) {
      this.#say(`The topic ${this.topic} has ${this.#count} partitions now.`);
    }
    if (all.length > this.#count && before === 0)
      this.#say(`Of ${all.length} partitions of ${this.topic} the first ${this.#count} are shown.`);
  }

  /**
   * Never rejects.
   * @param isSure whether the topic has just been found to be the one that it was
   * @returns why, for each partition that nothing was told of
   */
  async #readEnds(node: number, partitions: readonly number[], isSure: boolean): Promise<unknown[]> {
    const askedAt = now();
    const topicId = this.#topicId;
    const before = new Map(
      partitions.map((partition) => [partition, this.#partitions.get(partition)?.end ?? 0]),
    );
    this.#asked.add(node);
    for (const partition of partitions) this.#isMissing(partition);
    try {
      const ends = await listCommittedEnds(this.#cluster, node, this.topic, partitions);
      const isStill = (partition: number) =>
        topicId === this.#topicId && this.#leaders.get(partition) === node;
      const failures: unknown[] = [];
      for (const partition of partitions.filter(isStill)) {
        const end = ends.get(partition);
        if (typeof end !== 'number')
          failures.push(end ?? new KafkaError(`ListOffsets ${this.topic}`, KafkaCode.REQUEST_TIMED_OUT));
        // It was cut, or is another topic by now, which the metadata tell.
        else if (end < (before.get(partition) ?? 0) && !isSure) this.doubt();
        else {
          this.#missing.delete(partition);
          this.#partitions.set(partition, { node, end, askedAt });
        }
      }
      return failures;
    } catch (error) {
      return partitions.map(() => error);
    } finally {
      this.#asked.delete(node);
    }
  }

  /** From when it was, if it was before. */
  #isMissing(partition: number): void {
    if (!this.#missing.has(partition)) this.#missing.set(partition, now());
  }

  /** What is missing for longer than a change of leaders takes. */
  #partlyMissing(): string | null {
    const since = now() - MISSING_MS;
    const missing = [...this.#missing].filter(([, from]) => from <= since).map(([partition]) => partition);
    if (missing.length === 0) return null;
    const named = missing.sort((a, b) => a - b).slice(0, NAMED);
    const more = missing.length > named.length ? ` and ${missing.length - named.length} more` : '';
    return `Nothing comes of ${this.topic}/${named.join(`, ${this.topic}/`)}${more}: Kafka has no leader there that answers.`;
  }

  #failed(error: unknown): void {
    if (isUnknownTopic(error)) this.#is(`There is no topic ${this.topic} any more.`);
    else if (error instanceof KafkaError && isRefusal(error.kafkaCode))
      this.#is(`The server may not read ${this.topic}: it needs the right Read on it.`);
    else {
      this.#log.debug({ ...whyOf(error), topic: this.topic }, 'a topic was not looked at');
      if (now() - this.#lookedAt >= MISSING_MS)
        this.#is(`Nothing comes of ${this.topic}: Kafka does not answer.`);
    }
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
