import type { MessageRecord } from '@platformatic/kafka';
import type { Accepted } from './inboxes.ts';
import type { RecordContent } from './record.ts';
import { MAX_BATCH_BYTES } from './topics.ts';

/** What a record takes beside its key, value and headers, and a batch beside its records (Kafka's format: 61 bytes). */
const RECORD_OVERHEAD_BYTES = 64;
export const BATCH_OVERHEAD_BYTES = 128;
/** An idempotent producer's identity; sequence numbers count per partition under one identity. */
export interface Producer {
  readonly id: bigint;
  readonly epoch: number;
}

export interface Entry {
  readonly content: RecordContent;
  readonly bytes: number;
  readonly deadline: number;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (error: Error) => void;
}

/** Records that were sent, or are about to be, as one batch: repeated byte for byte until Kafka answers. */
export interface Batch {
  readonly entries: readonly Entry[];
  readonly messages: MessageRecord[];
  readonly producer: Producer;
  readonly firstSequence: number;
  readonly bytes: number;
  /** Times it was sent. After the first an unanswered batch may have been stored. */
  tries: number;
  /** A request with it is under way. */
  sending: boolean;
  /** When it may go again, on the clock of `now`. */
  notBefore: number;
}

export interface Partition {
  readonly topic: string;
  readonly queue: Entry[];
  /** Whoever is here goes first. */
  batch: Batch | null;
  producer: Producer | null;
  nextSequence: number;
  /** When its topic was first found missing, or 0. */
  missingSince: number;
  /** Its leader is being asked for. */
  locating: boolean;
}

/** Takes as much of the queue as fits into one batch. */
export function makeBatch(partition: Partition, producer: Producer): Batch {
  if (partition.producer !== producer) {
    partition.producer = producer;
    partition.nextSequence = 0;
  }
  let bytes = BATCH_OVERHEAD_BYTES;
  let count = 0;
  for (const entry of partition.queue) {
    if (count > 0 && bytes + entry.bytes > MAX_BATCH_BYTES) break;
    bytes += entry.bytes;
    count++;
  }
  const entries = partition.queue.splice(0, count);
  const firstSequence = partition.nextSequence;
  // Sequences are 32 bits and wrap to 0 (Kafka's DefaultRecordBatch.incrementSequence).
  partition.nextSequence = (firstSequence + count) % 2 ** 31;
  const messages = entries.map(({ content }) => ({
    topic: partition.topic,
    partition: 0,
    key: content.key,
    // The library's types know no tombstone; its writer encodes null as Kafka wants it.
    value: content.value as Buffer,
    headers: content.headers,
  }));
  return { entries, messages, producer, firstSequence, bytes, tries: 0, sending: false, notBefore: 0 };
}

export function sizeOf(content: RecordContent): number {
  let bytes = RECORD_OVERHEAD_BYTES + content.key.length + (content.value?.length ?? 0);
  for (const [name, value] of content.headers) bytes += name.length + value.length + 8;
  return bytes;
}
