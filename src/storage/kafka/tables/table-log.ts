import { setTimeout as sleep, setImmediate as turnEnd } from 'node:timers/promises';
import { type Connection, FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { listOffset } from '../fetch/log-reader.ts';
import type { Cluster } from '../wire/cluster.ts';
import { fetch, wanted } from '../wire/fetch.ts';
import { expectNone, isUnknownTopic, KafkaCode } from '../wire/kafka-error.ts';
import { type LogBatch, type Marker, type RawRecord, readBatches } from '../wire/log-batch.ts';
import { isOfNetwork, longerPause, now, whyOf } from '../wire/retry.ts';
import { send } from '../wire/send.ts';
import { UNKNOWN_TOPIC_MS } from '../wire/topics.ts';
import { RareWarning, Trouble } from '../wire/trouble.ts';

const FETCH_WAIT_MS = 5_000;
const FETCH_BYTES = 1024 * 1024;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/** The least pause between two readings from the start because its beginning is gone: whatever deletes it may go on. */
const START_OVER_MS = 10_000;

/** Records that are taken at once: what else waits for this process has a turn after so many of a packed batch. */
const RECORDS_AT_ONCE = 1_024;
/** Bytes unpacked in a second at most: a bomb of 300 bytes unpacks to 4 MiB, which takes 1 to 6 ms; records cost, too. */
const UNPACKED_PER_SECOND = 512 * 1024 * 1024;

const LOST_START =
  'records of this table were deleted (cleanup.policy=delete): what is known here is written again';

export interface TableLogOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  /** With one partition. */
  readonly topic: string;
  readonly onRecord: (batch: LogBatch, record: RawRecord) => void;
  /** A transaction has ended. */
  readonly onMarker: (marker: Marker) => void;
  /** All up to `position` was told. */
  readonly onRead: () => void;
  /** It is read from its start: what was told before may not be in it any more. */
  readonly onStartOver: () => void;
}

/**
 * Reads the log of a table from its start, and its end as it moves, uncommitted. Where the log was cut, or the topic is another one, or
 * gone, it makes that good and begins anew.
 */
export class TableLog {
  readonly #options: TableLogOptions;
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #damaged: RareWarning;
  readonly #trouble: Trouble;
  /** Kafka's id of the topic that it reads. */
  #topicId: string | null = null;
  #position = 0;
  /** Leader epoch of the record in front of the position. */
  #epoch = UNKNOWN_EPOCH;
  /** Where the log began when it was last read from there; null before its first answer. */
  #logStart: number | null = null;
  #startedOverAt = Number.NEGATIVE_INFINITY;
  #restore: (() => Promise<void>) | null = null;
  /** When the topic was first found missing, or 0. */
  #missingSince = 0;
  #connection: Connection | null = null;
  #closed = false;

  constructor(options: TableLogOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#log = options.log;
    this.#damaged = new RareWarning((fields) => this.#log.warn(fields, 'a batch was stepped over'));
    this.#trouble = new Trouble(this.#log, 'a table is not read');
  }

  /** The next offset to read. */
  get position(): number {
    return this.#position;
  }

  start(): void {
    void this.#run();
  }

  /** @param restore makes the topic again, where somebody has deleted it, and sets it as it has to be */
  restoreBy(restore: () => Promise<void>): void {
    this.#restore = restore;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection?.close().catch(() => {});
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#closed) {
      try {
        await this.#round();
        pause = FIRST_PAUSE_MS;
        this.#trouble.over();
      } catch (error) {
        if (this.#closed) return;
        // A broker that is away is told of once, by whoever connects to it.
        if (!isOfNetwork(error)) this.#trouble.failed(error);
        this.#cluster.forgetLeader(this.#options.topic);
        await this.#connection?.close().catch(() => {});
        this.#connection = null;
        await sleep(pause);
        pause = longerPause(pause, LONGEST_PAUSE_MS);
        if (isUnknownTopic(error)) await this.#remakeIfGone();
        else this.#missingSince = 0;
      }
    }
  }

  /** Somebody has deleted the topic by hand: what was in it is known here. */
  async #remakeIfGone(): Promise<void> {
    this.#missingSince ||= now();
    if (now() - this.#missingSince < UNKNOWN_TOPIC_MS) return;
    if (await this.#restoreTopic()) this.#missingSince = 0;
  }

  /** @returns whether it was tried: not before `restoreBy` */
  async #restoreTopic(): Promise<boolean> {
    if (this.#restore === null) return false;
    await this.#restore().catch((error: unknown) => this.#log.error(whyOf(error), 'topic not restored'));
    return true;
  }

  /**
   * Whether records are gone that were the last of their keys: compaction leaves the log's start where it is, and whatever raises it
   * (`cleanup.policy=delete`) goes by age alone.
   */
  #hasLostStart(start: number): boolean {
    this.#logStart ??= start;
    return start > this.#logStart && now() - this.#startedOverAt >= START_OVER_MS;
  }

  async #round(): Promise<void> {
    const { node, epoch, topicId } = await this.#cluster.leader(this.#options.topic);
    if (this.#topicId !== null && this.#topicId !== topicId) await this.#startOver();
    this.#topicId = topicId;
    this.#connection ??= await this.#cluster.dedicated(node, FETCH_WAIT_MS);
    if (this.#closed) return void (await this.#connection.close());
    const response = await send(
      this.#connection,
      fetch,
      FETCH_WAIT_MS,
      1,
      FETCH_BYTES,
      FetchIsolationLevels.READ_UNCOMMITTED,
      0,
      -1,
      [wanted(topicId, { offset: this.#position, epoch: this.#epoch }, epoch, FETCH_BYTES)],
      [],
      '',
    );
    const [found] = response.topics;
    const code = response.errorCode || (found?.errorCode ?? KafkaCode.NONE);
    this.#cluster.noteRefusal(fetch.key, code, this.#options.topic);
    this.#cluster.noteThrottle(fetch.key, response.throttleTimeMs);
    if (code === KafkaCode.NONE) this.#missingSince = 0;
    if (code === KafkaCode.OFFSET_OUT_OF_RANGE || found?.parts) await this.#startOver();
    else expectNone(`Fetch ${this.#options.topic}`, code);
    if (code === KafkaCode.NONE && found && this.#hasLostStart(found.logStart)) {
      this.#log.error({ was: this.#logStart, start: found.logStart }, LOST_START);
      return this.#startOver();
    }
    for (const batch of found ? readBatches(found.records) : []) {
      await this.#take(batch);
      if (batch.unpackCost === 0) continue;
      this.#options.onRead();
      await sleep((1_000 * batch.unpackCost) / UNPACKED_PER_SECOND);
      if (this.#closed) return;
    }
    this.#options.onRead();
  }

  /**
   * The log was cut, or its beginning deleted, or the topic made anew, by hand or from a copy: it is read from its start. The
   * settings come first, or it would go the same way.
   */
  async #startOver(): Promise<void> {
    await this.#restoreTopic();
    const start = await listOffset(this.#cluster, this.#options.topic, ListOffsetTimestamps.EARLIEST);
    if (this.#position > 0)
      this.#log.warn(
        { position: this.#position, start },
        'the log was cut, or the topic made anew: read anew',
      );
    this.#options.onStartOver();
    this.#startedOverAt = now();
    this.#logStart = start;
    this.#position = start;
    this.#epoch = UNKNOWN_EPOCH;
  }

  async #take(batch: LogBatch): Promise<void> {
    if (batch.isControl) {
      if (batch.marker) this.#options.onMarker(batch.marker);
    } else {
      for (let from = this.#position; ; await turnEnd()) {
        const records = batch.recordsFrom(from, RECORDS_AT_ONCE);
        for (const record of records) this.#options.onRecord(batch, record);
        from = (records.at(-1)?.offset ?? from) + 1;
        if (records.length < RECORDS_AT_ONCE) break;
      }
    }
    const { damage, nextOffset } = batch;
    if (nextOffset > this.#position) this.#epoch = batch.leaderEpoch;
    if (damage) this.#damaged.note({ before: nextOffset, reason: damage.message });
    this.#position = Math.max(this.#position, nextOffset);
  }
}
