import { EngineError } from '../../../core/errors.ts';
import type { Accepted } from '../../../core/inboxes.ts';
import type { RecordContent } from '../inbox/record.ts';
import { encodeContent, recordBytes } from '../wire/record-batch.ts';
import { now } from '../wire/retry.ts';
import { MAX_BATCH_BYTES } from '../wire/topics.ts';
import { BATCH_OVERHEAD_BYTES, newPartition, type Partition, type PendingRecord } from './batch.ts';

/** Appends waiting over all inboxes; past either bound a sender gets BUSY at once. */
const MAX_QUEUED_RECORDS = 50_000;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** Topics whose sequence numbers are kept; past that a new producer id starts all of them again at 0. */
const MAX_PARTITIONS = 100_000;
/** Waiting appends are looked through this often for those that have waited too long. */
const SWEEP_INTERVAL_MS = 250;

export interface AppendQueueOptions {
  /** How long a record may wait for Kafka's word. */
  readonly timeoutMs: number;
  /** Something is to be sent. */
  readonly added: () => void;
  /** There are too many partitions to go on with this producer id. */
  readonly renewIdentity: () => void;
  /** All records of its batch have waited too long, and no request with it is under way. */
  readonly giveUp: (partition: Partition, error: EngineError) => void;
}

/** Records that wait to be appended, or for Kafka's word on them, by partition; each up to its deadline. */
export class AppendQueue {
  /** Partitions with something to send. */
  readonly ready = new Set<Partition>();
  readonly #options: AppendQueueOptions;
  /** By the id of the topic, where it must be that one, else by its name. */
  readonly #partitions = new Map<string, Partition>();
  /** Those of them in which a record waits, or has waited when it was last looked. */
  readonly #busy = new Set<Partition>();
  #records = 0;
  /** Of their contents. */
  #bytes = 0;
  /** Runs while anything waits. */
  #sweeper: NodeJS.Timeout | null = null;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  /** How many records wait. */
  get size(): number {
    return this.#records;
  }

  /** Takes a record, as `Appender.append` has it. @throws EngineError `BUSY`, `TOO_LARGE` */
  add(topic: string, record: RecordContent, topicId: string | null): Promise<Accepted> {
    const content = encodeContent(record);
    const bytes = recordBytes(content);
    if (bytes + BATCH_OVERHEAD_BYTES > MAX_BATCH_BYTES) {
      return Promise.reject(new EngineError('TOO_LARGE', `a record of ${bytes} bytes`));
    }
    if (this.#records >= MAX_QUEUED_RECORDS || this.#bytes + content.length > MAX_QUEUED_BYTES) {
      return Promise.reject(new EngineError('BUSY', `${this.#records} records wait for Kafka`));
    }
    this.#records++;
    this.#bytes += content.length;
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    const deadline = now() + this.#options.timeoutMs;
    return new Promise((resolve, reject) => {
      const partition = this.#partition(topic, topicId);
      partition.queue.push({ content, deadline, resolve, reject });
      this.#busy.add(partition);
      this.ready.add(partition);
      this.#options.added();
    });
  }

  /** A record waits no more. */
  release({ content }: PendingRecord): void {
    this.#records--;
    this.#bytes -= content.length;
  }

  /** Nothing waits for this partition, and its sequence numbers are of no use. */
  forget(partition: Partition): void {
    this.ready.delete(partition);
    this.#partitions.delete(partition.topicId ?? partition.topic);
  }

  #partition(topic: string, topicId: string | null): Partition {
    const key = topicId ?? topic;
    let partition = this.#partitions.get(key);
    if (!partition) {
      if (this.#partitions.size >= MAX_PARTITIONS) this.#startOver();
      partition = newPartition(topic, topicId);
      this.#partitions.set(key, partition);
    }
    return partition;
  }

  /** A new producer id: every sequence starts at 0 again, so idle partitions can be forgotten. */
  #startOver(): void {
    this.#options.renewIdentity();
    for (const [key, partition] of this.#partitions) {
      if (!partition.batch && partition.queue.length === 0) this.#partitions.delete(key);
    }
  }

  /** Rejects what has waited for longer than its deadline. */
  #sweep(): void {
    const moment = now();
    for (const partition of this.#busy) {
      this.#failOverdue(partition, moment);
      if (!partition.batch && partition.queue.length === 0) this.#busy.delete(partition);
    }
    if (this.#records > 0 || !this.#sweeper) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }

  #failOverdue(partition: Partition, moment: number): void {
    const { batch, queue } = partition;
    const overdue = batch?.entries.filter((entry) => moment > entry.deadline) ?? [];
    if (batch && overdue.length > 0) {
      const sent = batch.tries > 0;
      const error = new EngineError(
        'UNAVAILABLE',
        sent ? 'no answer in time: it may have been stored' : 'Kafka does not answer; nothing was stored',
      );
      for (const entry of overdue) entry.reject(error);
      // The batch keeps its place while somebody waits for it, and while a request with it is under way.
      if (overdue.length === batch.entries.length && !batch.sending) this.#options.giveUp(partition, error);
    }
    while (queue[0] && moment > queue[0].deadline) {
      const entry = queue.shift();
      if (!entry) return;
      this.release(entry);
      entry.reject(new EngineError('UNAVAILABLE', 'Kafka does not answer; nothing was stored'));
    }
  }
}
