import type { Accepted } from '../../../core/inboxes.ts';
import { topicIdBytes } from '../wire/produce.ts';
import { encodeBatch, type Producer, recordBytes } from '../wire/record-batch.ts';
import { MAX_BATCH_BYTES } from '../wire/topics.ts';

/** What a batch takes beside its records, and room to spare. */
export const BATCH_OVERHEAD_BYTES = 128;

/** One record that waits, encoded but for its place in a batch. */
export interface PendingRecord {
  readonly content: Buffer;
  readonly deadline: number;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (error: Error) => void;
}

/** Records that were sent, or are about to be, as one batch: repeated byte for byte until Kafka answers. */
export interface Batch {
  readonly entries: readonly PendingRecord[];
  readonly producer: Producer;
  readonly bytes: Buffer;
  /** Leader epoch of its partition when it was sent last. */
  epoch: number;
  /** Times it was sent. After the first an unanswered batch may have been stored. */
  tries: number;
  /** It was sent, and what became of it then nobody knows. */
  mayBeStored: boolean;
  /** A request with it is under way. */
  sending: boolean;
  /** When it may go again, on the clock of `now`. */
  notBefore: number;
}

export interface Partition {
  readonly topic: string;
  /** Kafka's id of the topic (a UUID), if no other topic of that name will do. */
  readonly topicId: string | null;
  /** The same as bytes. */
  readonly idBytes: Buffer | null;
  readonly queue: PendingRecord[];
  /** Whoever is here goes first. */
  batch: Batch | null;
  producer: Producer | null;
  nextSequence: number;
  /** When its topic was first found missing, or 0. */
  missingSince: number;
  /** Its leader is being asked for. */
  locating: boolean;
}

/** With nothing to send. @param topicId as in `Partition` */
export function newPartition(topic: string, topicId: string | null): Partition {
  const idBytes = topicId === null ? null : topicIdBytes(topicId);
  const idle = { batch: null, producer: null, nextSequence: 0, missingSince: 0, locating: false };
  return { topic, topicId, idBytes, queue: [], ...idle };
}

/** Takes as much of the queue as fits into one batch. */
export function makeBatch(partition: Partition, producer: Producer): Batch {
  if (partition.producer !== producer) {
    partition.producer = producer;
    partition.nextSequence = 0;
  }
  const count = howManyFit(partition.queue);
  const entries = partition.queue.splice(0, count);
  const firstSequence = partition.nextSequence;
  // Sequences are 32 bits and wrap to 0 (Kafka's DefaultRecordBatch.incrementSequence).
  partition.nextSequence = (firstSequence + count) % 2 ** 31;
  const contents = entries.map(({ content }) => content);
  const bytes = encodeBatch(contents, producer, firstSequence, Date.now());
  return { entries, producer, bytes, epoch: -1, tries: 0, mayBeStored: false, sending: false, notBefore: 0 };
}

/** At least one. */
function howManyFit(queue: readonly PendingRecord[]): number {
  let bytes = BATCH_OVERHEAD_BYTES;
  let count = 0;
  for (const { content } of queue) {
    bytes += recordBytes(content);
    if (count > 0 && bytes > MAX_BATCH_BYTES) break;
    count++;
  }
  return count;
}
