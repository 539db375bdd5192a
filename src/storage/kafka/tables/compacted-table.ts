import { setTimeout as sleep } from 'node:timers/promises';
import { ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { EngineError } from '../../../core/errors.ts';
import type { SortedNames } from '../../../core/sorted-names.ts';
import { RequestBatcher } from '../../../util/request-batcher.ts';
import { restoreTable } from '../check/topic-settings.ts';
import { listOffset } from '../fetch/log-reader.ts';
import type { RecordContent } from '../inbox/record.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectTopic } from '../wire/kafka-error.ts';
import { bytesOf, type LogBatch, type RawRecord } from '../wire/log-batch.ts';
import { now, retry } from '../wire/retry.ts';
import { ensureTable, MAX_BATCH_BYTES } from '../wire/topics.ts';
import { OpenTransactions } from './open-transactions.ts';
import { judgeRecord, signRecord } from './signed-record.ts';
import { TableLog } from './table-log.ts';
import { TableRepair } from './table-repair.ts';
import { type Change, TableState } from './table-state.ts';

const CATCH_UP_INTERVAL_MS = 20;
const CATCH_UP_TIMEOUT_MS = 5_000;

/** Longest key that is looked at. */
const MAX_KEY_BYTES = 249;

/** Of a record that holds nothing a frontend writes. */
const UNREADABLE = { proof: 'forged', revision: null } as const;

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
  /** Hears of each change of the table, and what there was before. Null: the key is gone, or was not there. */
  readonly changed?: (key: string, packed: string | null, before: string | null) => void;
  /** As it lies in the topic. */
  readonly encode: (value: Value) => Buffer;
  /** The revision of its key that whoever wrote a record knew: it does not count behind a later one. Null, or absent: it always may. */
  readonly knownRevision?: (value: Buffer) => number | null;
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
  readonly #log: TableLog;
  readonly #state: TableState<Value>;
  readonly #repair: TableRepair;
  readonly #ends: RequestBatcher<null, number>;
  readonly #pending: OpenTransactions;
  #waiters: Waiter[] = [];
  readonly #watchers = new Set<(key: string) => void>();
  #catchingUp: Promise<void> | null = null;

  constructor(options: TableOptions<Value>) {
    this.#options = options;
    this.#state = new TableState(options.unpack, options.trust.acceptsUnsigned);
    this.#pending = new OpenTransactions((change) => this.#state.refuse(change));
    const log = options.log.child({ table: options.topic });
    this.#log = new TableLog({
      cluster: options.cluster,
      log,
      topic: options.topic,
      onRecord: (batch, record) => this.#take(batch, record),
      onMarker: (marker) => {
        for (const change of this.#pending.end(marker)) this.#apply(change);
      },
      onRead: () => this.#wakeWaiters(),
      // What the table knows is not given up: records count by their revisions, and what is not there any more is written again.
      onStartOver: () => {
        this.#state.doubt();
        this.#pending.clear();
      },
    });
    this.#repair = new TableRepair(this.#state, log, async (key) => {
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

  /** Reads all of the topic, which is there. @throws EngineError `UNAVAILABLE` */
  async read(deadline: number): Promise<void> {
    this.#log.start();
    await this.catchUp(deadline);
  }

  /**
   * Makes the topic if need be, reads all of it, and keeps it true: what others hide or delete is written again, and the topic is
   * made and set again. Only from then on, since what is read first is of the past.
   * @throws EngineError `UNAVAILABLE`
   */
  async open(replicationFactor: number, deadline: number): Promise<void> {
    const { cluster, log, topic } = this.#options;
    await ensureTable(cluster, topic, replicationFactor, deadline);
    await this.read(deadline);
    this.#state.signsAnew = false;
    this.#log.restoreBy(() => restoreTable(cluster, log, topic, replicationFactor));
    this.#repair.start();
  }

  async close(): Promise<void> {
    this.#repair.close();
    await this.#log.close();
  }

  get topic(): string {
    return this.#options.topic;
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

  /** 0 for a key that is not known. */
  revisionOf(key: string): number {
    return this.#state.revisionOf(key);
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
  signed(key: string, value: Value | null, encode = this.#options.encode): RecordContent {
    const { topic, trust } = this.#options;
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
    if (this.#log.position >= end) return;
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

  #take(batch: LogBatch, record: RawRecord): void {
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
    const { pack, knownRevision, topic, trust } = this.#options;
    const key = bytes.toString('utf8');
    const isSmall = bytesOf(record) <= MAX_BATCH_BYTES;
    const packed = value === null || !isSmall ? null : pack(key, value);
    const isReadable = isSmall && (value === null || packed !== null);
    const judgement = isReadable ? judgeRecord(trust, topic, record) : UNREADABLE;
    const after = (isReadable && value !== null && knownRevision?.(value)) || null;
    return { key, packed, judgement, after, time, hasAppendTime, isHidden: false };
  }

  #apply(change: Change): void {
    const { changed } = this.#options;
    const before = changed === undefined ? null : this.#state.packedOf(change.key);
    if (!this.#state.apply(change)) return;
    changed?.(change.key, change.packed, before);
    for (const watcher of this.#watchers) watcher(change.key);
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters.filter(({ offset }) => offset <= this.#log.position)) waiter.resolve();
  }
}
