import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { EngineError } from '../../../core/errors.ts';
import type { Accepted } from '../../../core/inboxes.ts';
import { SmallTopics } from '../check/topic-settings.ts';
import type { RecordContent } from '../inbox/record.ts';
import { BrokerClock } from '../wire/broker-clock.ts';
import type { Cluster } from '../wire/cluster.ts';
import { isRefusal, KafkaCode, KafkaError, nameOfCode } from '../wire/kafka-error.ts';
import { produce, type TopicResult } from '../wire/produce.ts';
import type { Producer } from '../wire/record-batch.ts';
import { isOfNetwork, lastCause, longerPause, now, worthRetrying } from '../wire/retry.ts';
import { Trouble } from '../wire/trouble.ts';
import { AppendQueue } from './append-queue.ts';
import type { Partition, PendingRecord } from './batch.ts';
import { PartitionLeaders, RETRY_PAUSE_MS, refused } from './partition-leaders.ts';
import { ProducerIdentity } from './producer-identity.ts';
import { gatherRounds, outcomeOf, type Round, sendRound } from './rounds.ts';

/**
 * Requests under way at one broker. With one alone everybody keeps step: the broker rests while its answer is passed on, and
 * the next request is gathered while it rests. An inbox has at most one batch under way, so its order is kept.
 */
const MAX_IN_FLIGHT = 3;
const LONGEST_PAUSE_MS = 1_000;
/** The broker's own time limit for acks=all. */
const PRODUCE_TIMEOUT_MS = 5_000;

/**
 * Appends records to many inboxes. Whatever waits is gathered into one Produce request per broker, with a few
 * under way at a time: that is what makes it fast. One batch of an inbox at a time: that keeps its order.
 */
export class Appender {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #timeoutMs: number;
  readonly #clock: BrokerClock;
  /** Requests under way, by broker; none of them is 0. */
  readonly #inFlight = new Map<number, number>();
  readonly #queue: AppendQueue;
  readonly #identity: ProducerIdentity;
  readonly #leaders: PartitionLeaders;
  readonly #small: SmallTopics;
  #scheduled = false;
  /** Before an identity is asked for again. */
  #pause = RETRY_PAUSE_MS;
  readonly #trouble: Trouble;
  #closed = false;

  /**
   * @param timeoutMs how long a record may wait for Kafka's word
   * @param clock learns from each answer what time it is for brokers
   */
  constructor(cluster: Cluster, log: Logger, timeoutMs: number, clock = new BrokerClock()) {
    this.#cluster = cluster;
    this.#log = log;
    this.#trouble = new Trouble(log, 'no producer id');
    this.#identity = new ProducerIdentity(cluster, PRODUCE_TIMEOUT_MS);
    this.#leaders = new PartitionLeaders(cluster);
    this.#small = new SmallTopics(cluster, log);
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#queue = new AppendQueue({
      timeoutMs,
      added: () => this.#schedule(),
      renewIdentity: () => this.#identity.renew(),
      giveUp: (partition, error) => this.#giveUp(partition, error),
    });
  }

  /**
   * Appends one record. Calls for one topic are stored in the order of the calls.
   * @param topicId Kafka's id of the topic (a UUID): what is confirmed is in that one, whatever topic has the name by now
   * @throws EngineError `BUSY`, `TOO_LARGE`, `UNAVAILABLE`; `NO_INBOX`: the topic is gone, or another one
   */
  append(topic: string, record: RecordContent, topicId: string | null = null): Promise<Accepted> {
    if (this.#closed) return Promise.reject(new EngineError('UNAVAILABLE', 'the engine is closing'));
    return this.#queue.add(topic, record, topicId);
  }

  /** Waits until everything taken on so far is answered, takes on nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    const deadline = now() + this.#timeoutMs + PRODUCE_TIMEOUT_MS;
    while (this.#queue.size > 0 && now() < deadline) await pause(5);
  }

  /**
   * Sends at the end of this turn of the event loop, so that all appends of this turn go together; at once while nothing is
   * under way: who is alone has nobody to wait for.
   */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const go = () => {
      this.#scheduled = false;
      void this.#dispatch();
    };
    if (this.#inFlight.size === 0) queueMicrotask(go);
    else setImmediate(go);
  }

  #scheduleLater(delayMs: number): void {
    setTimeout(() => this.#schedule(), delayMs);
  }

  async #dispatch(): Promise<void> {
    let producer: Producer;
    const wanted = this.#identity.current();
    try {
      producer = await wanted;
    } catch (error) {
      const cause = lastCause(error);
      if (!isOfNetwork(cause)) this.#trouble.failed(error);
      // It stays so: nobody has to wait for that.
      if (cause instanceof KafkaError && isRefusal(cause.kafkaCode)) {
        for (const partition of [...this.#queue.ready]) this.#failAll(partition, refused(cause));
      }
      this.#scheduleLater(this.#pause);
      this.#pause = longerPause(this.#pause, LONGEST_PAUSE_MS);
      return;
    }
    this.#pause = RETRY_PAUSE_MS;
    this.#trouble.over();
    // Another identity has taken its place meanwhile. Going back and forth between two would number records anew under
    // an identity that Kafka knows, and it would take them for repeats of others.
    if (!this.#identity.isCurrent(wanted)) {
      this.#schedule();
      return;
    }
    const { rounds, nextDue } = gatherRounds(this.#queue.ready, {
      producer,
      leaders: this.#leaders,
      isBusy: (node) => this.#isBusy(node),
      onNoLeader: (partition) => void this.#findLeader(partition),
    });
    // A timer may fire a little early: without a new one the partition would wait for ever.
    if (nextDue < Number.POSITIVE_INFINITY) this.#scheduleLater(nextDue - now() + 1);
    for (const [node, batches] of rounds) void this.#send(node, batches);
  }

  #isBusy(node: number): boolean {
    return (this.#inFlight.get(node) ?? 0) >= MAX_IN_FLIGHT;
  }

  async #send(node: number, round: Round): Promise<void> {
    this.#inFlight.set(node, (this.#inFlight.get(node) ?? 0) + 1);
    for (const batch of round.values()) {
      batch.tries++;
      batch.sending = true;
    }
    try {
      const sentAt = this.#clock.own();
      const results = await sendRound(this.#cluster, node, round, PRODUCE_TIMEOUT_MS);
      this.#learnTime(sentAt, results);
      for (const [partition, result] of results) {
        round.delete(partition);
        this.#settle(partition, result);
      }
      for (const partition of round.keys()) this.#repeat(partition, 'no answer for this topic', true);
    } catch (error) {
      if (!worthRetrying(error)) this.#log.error({ err: error }, 'produce failed in an unforeseen way');
      for (const partition of round.keys()) {
        this.#leaders.forget(partition);
        this.#repeat(partition, error, true);
      }
    } finally {
      const left = (this.#inFlight.get(node) ?? 1) - 1;
      if (left > 0) this.#inFlight.set(node, left);
      else this.#inFlight.delete(node);
      if (this.#queue.ready.size > 0) this.#schedule();
    }
  }

  /** From one batch: all were appended in the same moment. A repeated one may have been so long ago. */
  #learnTime(sentAt: number, results: readonly [Partition, TopicResult][]): void {
    const first = results.find(
      ([{ batch }, { errorCode, appendTime }]) =>
        batch?.tries === 1 && errorCode === KafkaCode.NONE && appendTime >= 0,
    );
    if (first) this.#clock.learn(sentAt, first[1].appendTime);
  }

  /** Kafka's word on one batch. */
  #settle(partition: Partition, { errorCode: code, baseOffset, appendTime }: TopicResult): void {
    const batch = partition.batch;
    if (!batch) return;
    batch.sending = false;
    if (code === KafkaCode.NONE) {
      partition.missingSince = 0;
      const acceptedAt = appendTime >= 0 ? appendTime : Date.now();
      // Which of several tries was stored nobody knows, nor under which leader.
      const epoch = batch.tries === 1 ? batch.epoch : UNKNOWN_EPOCH;
      this.#finish(partition, (entry, index) =>
        entry.resolve({ offset: baseOffset + index, acceptedAt, epoch }),
      );
      return;
    }
    const outcome = outcomeOf(code, batch.tries);
    switch (outcome) {
      case 'again':
      case 'again, may be stored':
        this.#leaders.forget(partition);
        this.#repeat(partition, nameOfCode(code), outcome !== 'again');
        break;
      case 'too large':
        // Not for its sender to mend: no batch is larger than what our topics have to take.
        this.#small.setBack(partition.topic, code);
        this.#giveUp(partition, new EngineError('UNAVAILABLE', `${nameOfCode(code)}: nothing was stored`));
        break;
      case 'out of sequence':
        this.#log.warn({ topic: partition.topic, code: nameOfCode(code) }, 'producer starts over');
        this.#identity.renew();
        partition.batch = null;
        partition.queue.unshift(...batch.entries);
        this.#queue.ready.add(partition);
        break;
      case 'refused':
        this.#cluster.noteRefusal(produce.key, code, partition.topic);
        this.#giveUp(partition, refused(new KafkaError(`Produce ${partition.topic}`, code)));
        break;
      default:
        this.#giveUp(
          partition,
          new EngineError('UNAVAILABLE', `${nameOfCode(code)}: it may have been stored`),
        );
    }
  }

  /** The same bytes go again, before anything else for this partition. */
  #repeat(partition: Partition, cause: unknown, mayBeStored: boolean): void {
    const batch = partition.batch;
    if (!batch) return;
    batch.mayBeStored ||= mayBeStored;
    batch.sending = false;
    batch.notBefore = now() + RETRY_PAUSE_MS;
    this.#log.debug(
      { topic: partition.topic, tries: batch.tries, cause: String(cause) },
      'append goes again',
    );
    this.#queue.ready.add(partition);
    this.#schedule();
  }

  /** Fails a batch. Its sequence numbers are in doubt, so a new identity goes on. */
  #giveUp(partition: Partition, error: EngineError): void {
    // Whoever hears that it was refused takes it for not stored.
    const { mayBeStored = false, sending = false } = partition.batch ?? {};
    const isOpen = (mayBeStored || sending) && error.code !== 'UNAVAILABLE';
    const told = isOpen
      ? new EngineError('UNAVAILABLE', `${error.message}: it may have been stored`, { cause: error })
      : error;
    this.#finish(partition, (entry) => entry.reject(told));
    this.#identity.renew();
  }

  #finish(partition: Partition, settle: (entry: PendingRecord, index: number) => void): void {
    const batch = partition.batch;
    if (!batch) return;
    partition.batch = null;
    for (const [index, entry] of batch.entries.entries()) {
      this.#queue.release(entry);
      settle(entry, index);
    }
    if (partition.queue.length > 0) this.#queue.ready.add(partition);
  }

  /** Asks for the leader, then lets the partition take part again; fails its senders when there is no topic. */
  async #findLeader(partition: Partition): Promise<void> {
    const failure = await this.#leaders.find(partition);
    if (failure) {
      this.#failAll(partition, failure);
      return;
    }
    if (!partition.batch && partition.queue.length === 0) return;
    this.#queue.ready.add(partition);
    this.#schedule();
  }

  #failAll(partition: Partition, error: EngineError): void {
    if (partition.batch) this.#giveUp(partition, error);
    for (const entry of partition.queue.splice(0)) {
      this.#queue.release(entry);
      entry.reject(error);
    }
    this.#queue.forget(partition);
    // If the topic is there after all, its numbers must not begin again under the same identity.
    this.#identity.renew();
  }
}
