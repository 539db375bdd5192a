import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, FetchIsolationLevels, fetchV17, type RecordsBatch } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { type Cluster, send } from './cluster.ts';
import { EngineError } from './errors.ts';
import { expectNone, KafkaCode } from './kafka-error.ts';
import { readEnd } from './log-reader.ts';
import { isControl, isTransactional } from './record-batches.ts';
import { now } from './retry.ts';

const FETCH_WAIT_MS = 5_000;
const FETCH_BYTES = 4 * 1024 * 1024;
const RETRY_PAUSE_MS = 200;
const CATCH_UP_INTERVAL_MS = 20;
const CATCH_UP_TIMEOUT_MS = 5_000;
/** Changes of one open transaction that are remembered; ours have one. What is over is dropped and logged. */
const MAX_PENDING_CHANGES = 1_000;
/** Transactions open at the same time that are remembered; past that the oldest is dropped and logged. */
const MAX_PENDING_TRANSACTIONS = 10_000;

/** Key of a control record: version INT16, type INT16; type 1 is a commit, 0 an abort (Kafka's ControlRecordType). */
const COMMIT = 1;

interface Change<Value> {
  readonly key: string;
  /** Null: deleted. */
  readonly value: Value | null;
}

export interface TableOptions<Value> {
  readonly cluster: Cluster;
  readonly log: Logger;
  /** A compacted topic with one partition. */
  readonly topic: string;
  /** Null for what cannot be read: who may write to the topic may write nonsense. */
  readonly decode: (key: string, value: Buffer) => Value | null;
}

interface Waiter {
  readonly offset: number;
  readonly resolve: () => void;
}

/**
 * A compacted topic as a table in memory: all of it, then its end as it moves. It is read uncommitted and applies a
 * transaction's records when its commit marker comes: so it shows committed values only, and a hung transaction holds
 * back no other key.
 */
export class CompactedTable<Value> {
  readonly #options: TableOptions<Value>;
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #values = new Map<string, Value>();
  /** Keys in order; made anew when they are asked for after a change. */
  #sorted: string[] | null = null;
  /** Changes of transactions without a marker yet, by producer. */
  readonly #pending = new Map<bigint, Change<Value>[]>();
  #position = 0;
  #waiters: Waiter[] = [];
  readonly #watchers = new Set<() => void>();
  #connection: Connection | null = null;
  #catchingUp: Promise<void> | null = null;
  #closed = false;

  constructor(options: TableOptions<Value>) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#log = options.log.child({ table: options.topic });
  }

  /** Starts to read; `catchUp` tells when the present is reached. */
  start(): void {
    void this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection?.close().catch(() => {});
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  get size(): number {
    return this.#values.size;
  }

  /** All keys, ascending by code unit. Do not change the array. */
  sortedKeys(): readonly string[] {
    this.#sorted ??= [...this.#values.keys()].sort();
    return this.#sorted;
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
    const end = await readEnd(this.#cluster, this.#options.topic, deadline);
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
    while (!this.#closed) {
      try {
        await this.#round();
      } catch (error) {
        if (this.#closed) return;
        this.#log.warn({ err: error }, 'read failed');
        this.#cluster.forgetLeader(this.#options.topic);
        await this.#connection?.close().catch(() => {});
        this.#connection = null;
        await sleep(RETRY_PAUSE_MS);
      }
    }
  }

  async #round(): Promise<void> {
    const { node, topicId } = await this.#cluster.leader(this.#options.topic);
    this.#connection ??= await this.#cluster.dedicated(node);
    if (this.#closed) return void (await this.#connection.close());
    const response = await send(
      this.#connection,
      fetchV17.api,
      FETCH_WAIT_MS,
      1,
      FETCH_BYTES,
      FetchIsolationLevels.READ_UNCOMMITTED,
      0,
      -1,
      [
        {
          topicId,
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: -1,
              fetchOffset: BigInt(this.#position),
              lastFetchedEpoch: -1,
              partitionMaxBytes: FETCH_BYTES,
            },
          ],
        },
      ],
      [],
      '',
    );
    const partition = response.responses[0]?.partitions[0];
    const code = response.errorCode || (partition?.errorCode ?? KafkaCode.NONE);
    if (code === KafkaCode.OFFSET_OUT_OF_RANGE) this.#position = Number(partition?.logStartOffset ?? 0);
    else expectNone(`Fetch ${this.#options.topic}`, code);
    for (const batch of partition?.records ?? []) this.#take(batch);
    this.#wakeWaiters();
  }

  #take(batch: RecordsBatch): void {
    const base = Number(batch.firstOffset);
    const end = base + batch.lastOffsetDelta + 1;
    if (isControl(batch)) this.#endTransaction(batch);
    else {
      for (const record of batch.records) {
        if (base + record.offsetDelta < this.#position || record.key === null) continue;
        const key = record.key.toString('utf8');
        const value = record.value === null ? null : this.#options.decode(key, record.value);
        if (record.value !== null && value === null) {
          this.#log.warn(
            { offset: base + record.offsetDelta },
            'a record that cannot be read was passed over',
          );
          continue;
        }
        if (isTransactional(batch)) this.#remember(batch.producerId, { key, value });
        else this.#apply({ key, value });
      }
    }
    this.#position = Math.max(this.#position, end);
  }

  #remember(producerId: bigint, change: Change<Value>): void {
    const changes = this.#pending.get(producerId) ?? [];
    if (changes.length < MAX_PENDING_CHANGES) changes.push(change);
    else this.#log.warn({ producerId: String(producerId) }, 'a transaction too long to remember');
    this.#pending.set(producerId, changes);
    if (this.#pending.size > MAX_PENDING_TRANSACTIONS) {
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest);
        this.#log.warn({ producerId: String(oldest) }, 'too many open transactions');
        break;
      }
    }
  }

  #endTransaction(batch: RecordsBatch): void {
    const changes = this.#pending.get(batch.producerId) ?? [];
    this.#pending.delete(batch.producerId);
    const type = batch.records[0]?.key?.readInt16BE(2);
    if (type === COMMIT) for (const change of changes) this.#apply(change);
  }

  #apply({ key, value }: Change<Value>): void {
    if (value !== null) this.#values.set(key, value);
    else this.#values.delete(key);
    this.#sorted = null;
    for (const watcher of [...this.#watchers]) watcher();
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters.filter(({ offset }) => offset <= this.#position)) waiter.resolve();
  }
}
