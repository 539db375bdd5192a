import type { InboxMessage } from '../../../core/inboxes.ts';
import { recordTime, seqOf } from '../../../core/windows.ts';
import type { Semaphore } from '../../../util/semaphore.ts';
import type { RecordLine, RecordLines } from '../follow/record-lines.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { ReadRecords } from '../wire/fetched-records.ts';
import { KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import type { RawRecord } from '../wire/log-batch.ts';
import type { Chunk, ChunkCache, Remark } from './chunk.ts';
import { FloodLimit } from './flood-limit.ts';
import { readCommitted } from './read-committed.ts';
import type { TopicWatch } from './topic-watch.ts';

/** Records whose lines are made before it is looked at how much they have become. */
const SLICE = 256;
/** Characters of lines after which a chunk ends. */
const MAX_CHUNK_CHARACTERS = 256 * 1024;

/** What one window's logs have in common. */
export interface WindowLogOptions {
  readonly cluster: Cluster;
  readonly watch: TopicWatch;
  readonly lines: RecordLines;
  readonly cache: ChunkCache;
  /** For reading: what is fetched and unpacked at once, in all windows. */
  readonly reading: Semaphore;
  /** For whom that is: windows come in turn. */
  readonly whom: string;
  /** Of what has just come, in all partitions together. */
  readonly flood: FloodLimit;
  readonly perSecond: number;
  readonly maxAgeMs: number;
}

interface Waiter {
  readonly position: number;
  readonly resolve: (chunk: Chunk) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One partition as one window shows it: in chunks, each of which is read, filtered and made into lines once for all who are shown it,
 * as long as they are not too far apart.
 */
export class WindowLog {
  readonly #options: WindowLogOptions;
  readonly #partition: number;
  /** By where they begin, no two alike. */
  readonly #chunks: Chunk[] = [];
  #waiters: Waiter[] = [];
  #isLoading = false;
  /** What lies from here on was not there when somebody last looked: it has just come. */
  #seen: number;

  constructor(partition: number, options: WindowLogOptions) {
    this.#options = options;
    this.#partition = partition;
    this.#seen = options.watch.partitions.get(partition)?.end ?? 0;
  }

  /**
   * The chunk that has a position, which lies in front of the partition's end.
   * @throws the network's error; KafkaError
   */
  at(position: number): Promise<Chunk> {
    const known = this.#known(position);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ position, resolve, reject });
      if (!this.#isLoading) void this.#load();
    });
  }

  close(): void {
    for (const chunk of [...this.#chunks]) this.#options.cache.remove(chunk);
  }

  /** What lies from there on is something else by now. */
  cut(end: number): void {
    for (const chunk of this.#chunks.filter(({ next }) => next > end)) this.#options.cache.remove(chunk);
    this.#seen = Math.min(this.#seen, end);
  }

  #known(position: number): Chunk | undefined {
    const chunk = this.#chunks[this.#indexBehind(position) - 1];
    return chunk !== undefined && position < chunk.next ? chunk : undefined;
  }

  /** How many begin at a position or in front of it. */
  #indexBehind(position: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.first ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** One after the other, the one furthest back first: whoever waits a little further on is served by the same. Never rejects. */
  async #load(): Promise<void> {
    this.#isLoading = true;
    while (this.#waiters.length > 0) {
      const first = this.#waiters.reduce(
        (least, { position }) => Math.min(least, position),
        Number.POSITIVE_INFINITY,
      );
      try {
        const { reading, whom } = this.#options;
        const chunk = this.#known(first) ?? (await reading.pass(whom, () => this.#make(first)));
        this.#serve(chunk);
      } catch (error) {
        this.#options.watch.doubt();
        const failed = this.#waiters;
        this.#waiters = [];
        for (const { reject } of failed) reject(error);
      }
    }
    this.#isLoading = false;
  }

  #serve(chunk: Chunk): void {
    if (this.#known(chunk.first) !== chunk) {
      this.#chunks.splice(this.#indexBehind(chunk.first), 0, chunk);
      this.#options.cache.add(chunk, () => this.#chunks.splice(this.#chunks.indexOf(chunk), 1));
    }
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (chunk.first <= waiter.position && waiter.position < chunk.next) waiter.resolve(chunk);
      else this.#waiters.push(waiter);
    }
  }

  async #make(first: number): Promise<Chunk> {
    const { cluster, watch } = this.#options;
    const partition = this.#partition;
    const node = watch.partitions.get(partition)?.node;
    if (node === undefined) throw new KafkaError(watch.topic, KafkaCode.LEADER_NOT_AVAILABLE);
    const { topic, topicId } = watch;
    const read = await readCommitted(cluster, { topic, topicId, partition, node, offset: first });
    if (typeof read === 'number')
      return {
        first,
        next: read,
        messages: [],
        remarks: [{ why: 'gone', records: read - first, from: first }],
      };
    // What is not there although the partition does not end here comes with a later look.
    if (read.nextOffset === first) throw new KafkaError(`Fetch ${topic}`, KafkaCode.OFFSET_NOT_AVAILABLE);
    return this.#shown(first, read);
  }

  async #shown(first: number, read: ReadRecords): Promise<Chunk> {
    const { lines, watch, flood, perSecond, maxAgeMs } = this.#options;
    const { topic } = watch;
    const seen = this.#seen;
    const since = Date.now() - maxAgeMs;
    const isOld = ({ offset, timestamp }: RawRecord) => offset < seen && timestamp > 0 && timestamp < since;
    const wanted = read.records.filter((record) => !isOld(record));
    const before = new FloodLimit(perSecond);
    const admits = ({ offset, timestamp }: RawRecord) =>
      offset < seen ? before.admits(timestamp) : flood.admits();
    const messages: InboxMessage[] = [];
    let next = read.nextOffset;
    let untold = 0;
    let firstUntold: number | null = null;
    let characters = 0;
    for (let at = 0; at < wanted.length; at += SLICE) {
      const slice = wanted.slice(at, at + SLICE);
      const looked = await lines.look(this.#partition, slice, admits);
      for (const line of looked.lines) {
        characters += line.text.length;
        messages.push(messageOf(topic, line));
      }
      untold += looked.untold;
      firstUntold ??= looked.firstUntold;
      const behind = wanted[at + looked.count];
      const isPaused = looked.count < slice.length;
      if (behind === undefined || !(isPaused || characters > MAX_CHUNK_CHARACTERS)) continue;
      next = behind.offset;
      break;
    }
    if (next <= first) throw new Error(lines.paused ?? 'nothing was looked at');
    this.#seen = Math.max(seen, next);
    const old = read.records.filter((record) => record.offset < next && isOld(record));
    const remarks = [...remarkOn('old', old), ...unreadable(read).filter(({ from }) => from < next)];
    if (firstUntold !== null) remarks.push({ why: 'untold', records: untold, from: firstUntold });
    return { first, next, messages, remarks };
  }
}

function remarkOn(why: Remark['why'], records: readonly RawRecord[]): Remark[] {
  const [first] = records;
  return first === undefined ? [] : [{ why, records: records.length, from: first.offset }];
}

/** What a compaction has taken away is none of it: that is how such a topic is. */
function unreadable({ damage, lost }: ReadRecords): Remark[] {
  const spoiled = lost.filter(({ reason }) => reason === 'a wrong checksum');
  return [
    ...spoiled.map(({ first, last }) => ({
      why: 'unreadable' as const,
      records: last - first + 1,
      from: first,
    })),
    ...(damage === null ? [] : [{ why: 'unreadable' as const, records: 1, from: damage.nextOffset - 1 }]),
  ];
}

function messageOf(topic: string, { partition, offset, timestamp, text, note }: RecordLine): InboxMessage {
  return {
    offset: seqOf({ partition, offset }),
    id: null,
    from: { kind: 'external', name: topic },
    body: Buffer.from(text),
    contentType: null,
    acceptedAt: recordTime(timestamp),
    record: { partition, offset, note },
  };
}
