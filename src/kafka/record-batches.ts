import { IS_CONTROL, IS_TRANSACTIONAL, type KafkaRecord, type RecordsBatch } from '@platformatic/kafka';

/** One record as it lies in a log. */
export interface RawRecord {
  readonly offset: number;
  /** Milliseconds since the epoch: Kafka's append time where the topic says so, else the producer's. */
  readonly timestamp: number;
  readonly record: KafkaRecord;
}

/** Bit 3 of a batch's attributes: its only valid time is the broker's append time, in maxTimestamp (KIP-32). */
const HAS_APPEND_TIME = 1 << 3;

/**
 * The records of the batches of one fetch, without the control records.
 * @returns also the offset after the last batch, or `from` when there is none
 */
export function recordsOf(
  batches: readonly RecordsBatch[],
  from: number,
): { records: RawRecord[]; nextOffset: number } {
  const records: RawRecord[] = [];
  let nextOffset = from;
  for (const batch of batches) {
    const base = Number(batch.firstOffset);
    nextOffset = Math.max(nextOffset, base + batch.lastOffsetDelta + 1);
    if (isControl(batch)) continue;
    const appendTime = (batch.attributes & HAS_APPEND_TIME) !== 0;
    for (const record of batch.records) {
      const offset = base + record.offsetDelta;
      // A fetch returns whole batches: the first may begin below the offset that was asked for.
      if (offset < from) continue;
      const timestamp = Number(
        appendTime ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta,
      );
      records.push({ offset, timestamp, record });
    }
  }
  return { records, nextOffset };
}

export function isControl(batch: RecordsBatch): boolean {
  return (batch.attributes & IS_CONTROL) !== 0;
}

export function isTransactional(batch: RecordsBatch): boolean {
  return (batch.attributes & IS_TRANSACTIONAL) !== 0;
}
