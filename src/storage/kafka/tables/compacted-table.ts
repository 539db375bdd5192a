import { setTimeout as sleep, setImmediate as turnEnd } from 'node:timers/promises';
import { type Connection, FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { EngineError } from '../../../core/errors.ts';
import type { SortedNames } from '../../../core/sorted-names.ts';
import { RequestBatcher } from '../../../util/request-batcher.ts';
import { listOffset } from '../fetch/log-reader.ts';
import type { RecordContent } from '../inbox/record.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import type { Cluster } from '../wire/cluster.ts';
import { fetch, wanted } from '../wire/fetch.ts';
import { expectNone, expectTopic, isUnknownTopic, KafkaCode } from '../wire/kafka-error.ts';
import { bytesOf, type LogBatch, type RawRecord, readBatches } from '../wire/log-batch.ts';
import { RareWarning } from '../wire/rare-warning.ts';
import { isOfNetwork, longerPause, now, retry, whyOf } from '../wire/retry.ts';
import { send } from '../wire/send.ts';
import { MAX_BATCH_BYTES, UNKNOWN_TOPIC_MS } from '../wire/topics.ts';
import { Trouble } from '../wire/trouble.ts';
import { OpenTransactions } from './open-transactions.ts';
import { judgeRecord, signRecord } from './signed-record.ts';
import { TableRepair } from './table-repair.ts';
import { type Change, TableState } from './table-state.ts';

const FETCH_WAIT_MS = 5_000;
const FETCH_BYTES = 1024 * 1024;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;
const CATCH_UP_INTERVAL_MS = 20;
const CATCH_UP_TIMEOUT_MS = 5_000;

/** The least pause between two readings from the start because its beginning is gone: whatever deletes it may go on. */
const START_OVER_MS = 10_000;

/** Records that are taken at once: what else waits for this process has a turn after so many of a packed batch. */
const RECORDS_AT_ONCE = 1_024;
/** Bytes unpacked in a second at most: a bomb of 300 bytes unpacks to 4 MiB, which takes 1 to 6 ms; records cost, too. */
const UNPACKED_PER_SECOND = 512 * 1024 * 1024;
/** Longest key that is looked at. */
const MAX_KEY_BYTES = 249;

/** Of a record that holds nothing a frontend writes. */
const UNREADABLE = { proof: 'forged', revision: null } as const;

const LOST_START =
  'records of this table were deleted (cleanup.policy=delete): what is known here is written again';

/** Waiting questions that one look at the topic's end answers. */
const MAX_QUESTIONS = 10_000;

/** Whether a key was changed since this was made. */
export interface Watch {
  readonly changed: boolean;
  close(): void;
}

export interface TableOptions<Value> {
  readonly cluster: Cluster;
  readonly log: Logger;
  /** A compacted topic with one partition. */
  readonly topic: string;
  /**
   * Checks a record and makes it small: there may be a million. Characters up to U+00FF take one byte each.
   * Null for what cannot be read: who may write to the topic may write nonsense.
   */
  readonly pack: (key: string, value: Buffer) => string | null;
  /** Reads what `pack` made. */
  readonly unpack: (key: string, packed: string) => Value;
  /** Hears of each change of the table. `packed` null: the key is gone. */
  readonly changed?: (key: string, packed: string | null) => void;
  /** As it lies in the topic. */
  readonly encode: (value: Value) => Buffer;
  readonly trust: Trust;
  readonly appender: Pick<Appender, 'append'>;
}

interface Waiter {
  readonly offset: number;
  readonly resolve: () => void;
}

/**
 * A compacted topic as a table in memory: all of it, then its end as it moves. It is read uncommitted and applies a
 * transaction's records when its commit marker comes: so it shows committed values only, and a hung transaction holds
 * back no other key. Only what frontends wrote counts, and it is written again where others have hidden it.
 */
export class CompactedTable<Value> {
  readonly #options: TableOptions<Value>;
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #damaged: RareWarning;
  readonly #trouble: Trouble;
  readonly #state: TableState<Value>;
  readonly #repair: TableRepair;
  readonly #ends: RequestBatcher<null, number>;
  readonly #pending: OpenTransactions;
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
  #waiters: Waiter[] = [];
  readonly #watchers = new Set<(key: string) => void>();
  #connection: Connection | null = null;
  #catchingUp: Promise<void> | null = null;
  #closed = false;

  constructor(options: TableOptions<Value>) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#log = options.log.child({ table: options.topic });
    this.#damaged = new RareWarning((fields) => this.#log.warn(fields, 'a batch was stepped over'));
    this.#trouble = new Trouble(this.#log, 'a table is not read');
    this.#state = new TableState(options.unpack, options.trust.acceptsUnsigned);
    this.#pending = new OpenTransactions((change) => this.#state.refuse(change));
    this.#repair = new TableRepair(this.#state, this.#log, async (key) => {
      const value = this.#state.get(key);
      const encoded = value === undefined ? null : options.encode(value);
      await options.appender.append(
        options.topic,
        signRecord(options.trust, options.topic, key, encoded, this.#state.revisionOf(key)),
      );
    });
    this.#ends = new RequestBatcher(MAX_QUESTIONS, async (questions) => {
      const { cluster, topic } = options;
      // Another broker said that it exists; the one that leads it may hear of that a little later.
      const end = await expectTopic(topic, listOffset(cluster, topic, ListOffsetTimestamps.LATEST));
      return questions.map(() => end);
    });
  }

  /** Starts to read; `catchUp` tells when the present is reached. */
  start(): void {
    void this.#run();
  }

  /**
   * Begins to write again what others have hidden, or deleted. Apart from `start`: what is read then is of the past.
   * @param restore makes the topic again, where somebody has deleted it, and sets it as it has to be
   */
  keepTrue(restore: () => Promise<void>): void {
    this.#state.signsAnew = false;
    this.#restore = restore;
    this.#repair.start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#repair.close();
    await this.#connection?.close().catch(() => {});
  }

  get(key: string): Value | undefined {
    return this.#state.get(key);
  }

  get keys(): SortedNames {
    return this.#state.keys;
  }

  putInOrder(): void {
    this.#state.putInOrder();
  }

  /** What is in it, for whoever has to look closer. */
  get contents(): Pick<
    TableState<Value>,
    'size' | 'unproven' | 'isUnproven' | 'hasMoreUnproven' | 'refused' | 'stale'
  > {
    return this.#state;
  }

  /**
   * The record of a change, signed. Who writes it has read the table up to now, and nobody else writes that key now.
   * @param value null: the key is gone
   */
  signed(key: string, value: Value | null): RecordContent {
    const { topic, trust, encode } = this.#options;
    // Also where another frontend's clock is ahead.
    const revision = Math.max(trust.clock.now(), this.#state.revisionOf(key) + 1);
    return signRecord(trust, topic, key, value === null ? null : encode(value), revision);
  }

  /**
   * As `catchUp`, at most every 20 ms: for questions that outsiders may ask as often as they like. One catch-up serves
   * everybody who asked before it began.
   * @throws EngineError `UNAVAILABLE`
   */
  catchUpSoon(): Promise<void> {
    this.#catchingUp ??= sleep(CATCH_UP_INTERVAL_MS).then(() => {
      this.#catchingUp = null;
      return this.catchUp(now() + CATCH_UP_TIMEOUT_MS);
    });
    return this.#catchingUp;
  }

  /**
   * Waits until everything is read that was in the topic when this was called.
   * @throws EngineError `UNAVAILABLE`
   */
  async catchUp(deadline: number): Promise<void> {
    const end = await retry(`end of ${this.#options.topic}`, deadline, () => this.#ends.ask(null));
    if (this.#position >= end) return;
    await this.#within(deadline, (resolve) => {
      const waiter = { offset: end, resolve };
      this.#waiters.push(waiter);
      return () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
      };
    });
  }

  /**
   * Waits until the table shows something.
   * @throws EngineError `UNAVAILABLE` when the deadline has passed
   */
  async until(condition: () => boolean, deadline: number): Promise<void> {
    if (condition()) return;
    await this.#within(deadline, (resolve) => {
      const watcher = () => {
        if (condition()) resolve();
      };
      this.#watchers.add(watcher);
      return () => this.#watchers.delete(watcher);
    });
  }

  /** Notes from now on whether a key is changed. Whoever makes it closes it. */
  watch(key: string): Watch {
    const watcher = (applied: string) => {
      if (applied === key) watch.changed = true;
    };
    const watch = { changed: false, close: () => void this.#watchers.delete(watcher) };
    this.#watchers.add(watcher);
    return watch;
  }

  /** Runs `subscribe` until it resolves or the deadline passes; then what it returned is called. */
  #within(deadline: number, subscribe: (resolve: () => void) => () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        unsubscribe();
        settle();
      };
      const timer = setTimeout(
        () =>
          finish(() =>
            reject(new EngineError('UNAVAILABLE', `the table of ${this.#options.topic} is behind`)),
          ),
        Math.max(0, deadline - now()),
      );
      const unsubscribe = subscribe(() => finish(resolve));
    });
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

  /** @returns whether it was tried: not before `keepTrue` */
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
      this.#wakeWaiters();
      await sleep((1_000 * batch.unpackCost) / UNPACKED_PER_SECOND);
      if (this.#closed) return;
    }
    this.#wakeWaiters();
  }

  /**
   * The log was cut, or its beginning deleted, or the topic made anew, by hand or from a copy: it is read from its start. What the
   * table knows is not given up for that, since records count by their revisions: what is not there any more is written again. The
   * settings come first, or it would go the same way.
   */
  async #startOver(): Promise<void> {
    const { topic } = this.#options;
    await this.#restoreTopic();
    const start = await listOffset(this.#cluster, topic, ListOffsetTimestamps.EARLIEST);
    if (this.#position > 0)
      this.#log.warn(
        { position: this.#position, start },
        'the log was cut, or the topic made anew: read anew',
      );
    this.#state.doubt();
    this.#pending.clear();
    this.#startedOverAt = now();
    this.#logStart = start;
    this.#position = start;
    this.#epoch = UNKNOWN_EPOCH;
  }

  async #take(batch: LogBatch): Promise<void> {
    if (batch.isControl) {
      const { marker } = batch;
      for (const change of marker ? this.#pending.end(marker) : []) this.#apply(change);
    } else {
      for (let from = this.#position; ; await turnEnd()) {
        const records = batch.recordsFrom(from, RECORDS_AT_ONCE);
        for (const record of records) this.#takeRecord(batch, record);
        from = (records.at(-1)?.offset ?? from) + 1;
        if (records.length < RECORDS_AT_ONCE) break;
      }
    }
    const { damage, nextOffset } = batch;
    if (nextOffset > this.#position) this.#epoch = batch.leaderEpoch;
    if (damage) this.#damaged.note({ before: nextOffset, reason: damage.message });
    this.#position = Math.max(this.#position, nextOffset);
  }

  #takeRecord(batch: LogBatch, record: RawRecord): void {
    const change = this.#changeOf(record);
    if (change === null) return;
    this.#pending.noteRecord(change.key);
    if (batch.isTransactional) this.#pending.add(batch.producerId, change);
    else this.#apply(change);
  }

  #changeOf(record: RawRecord): Change | null {
    const { key: bytes, value, timestamp: time, hasAppendTime } = record;
    if (bytes === null) return null;
    // What no frontend writes, and hides nothing that one has written.
    if (bytes.length > MAX_KEY_BYTES) {
      this.#state.refused += 1;
      return null;
    }
    const { pack, topic, trust } = this.#options;
    const key = bytes.toString('utf8');
    const isSmall = bytesOf(record) <= MAX_BATCH_BYTES;
    const packed = value === null || !isSmall ? null : pack(key, value);
    const isReadable = isSmall && (value === null || packed !== null);
    const judgement = isReadable ? judgeRecord(trust, topic, record) : UNREADABLE;
    return { key, packed, judgement, time, hasAppendTime, isHidden: false };
  }

  #apply(change: Change): void {
    if (!this.#state.apply(change)) return;
    this.#options.changed?.(change.key, change.packed);
    for (const watcher of this.#watchers) watcher(change.key);
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters.filter(({ offset }) => offset <= this.#position)) waiter.resolve();
  }
}
