import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { type LogBatch, type Marker, type RawRecord, readBatches } from './log-batch.ts';

/** Why a batch was left out in part or as a whole, and where the next one begins. */
export interface Damage {
  readonly error: RangeError;
  readonly nextOffset: number;
}

/** Offsets that held records once, first..last: those are not in the log any more, or the disk has spoiled their batch. */
export interface Lost {
  readonly first: number;
  readonly last: number;
  readonly reason: 'not in the log' | 'a wrong checksum';
}

/** What of one fetch is looked at. */
export interface ReadRecords {
  readonly records: RawRecord[];
  /** Ends of transactions in between. */
  readonly markers: readonly Marker[];
  /** The offset after what was looked at. */
  readonly nextOffset: number;
  /** Leader epoch of the batch in front of that; -1 where none was looked at. */
  readonly epoch: number;
  /** What it has cost to unpack, in bytes; 0 where nothing was packed. */
  readonly unpackCost: number;
  /** The last batch that was left out in part or as a whole, if any. */
  readonly damage: Damage | null;
  /** What should lie in between, in its order. */
  readonly lost: readonly Lost[];
}

/** Records out of one fetch: more do not fit into what waits for one person, and packed ones may be many. */
const MAX_RECORDS = 4_096;
/** Past this cost of unpacking the rest of a fetch is left to the next one. */
const MAX_UNPACK_COST = 1024 * 1024;

/**
 * The records from an offset on, out of the batches of one fetch, without the control records. Batches that lie below the
 * offset as a whole are not looked into. What would be too much at once is left for the next fetch. Producers leave no
 * offset out, so what is missing and no end of a transaction was taken away.
 * @returns as `nextOffset` the offset after the last batch, or `from` when there is none
 * @throws RangeError as `readBatches`
 */
export function readRecords(fetched: Buffer, from: number): ReadRecords {
  let records: RawRecord[] = [];
  const markers: Marker[] = [];
  const lost: Lost[] = [];
  let nextOffset = from;
  let epoch = UNKNOWN_EPOCH;
  let unpackCost = 0;
  let damage: Damage | null = null;
  const lose = (first: number, end: number, reason: Lost['reason'] = 'not in the log') => {
    if (first < end) lost.push({ first, last: end - 1, reason });
  };
  const batches = readBatches(fetched);
  for (const [index, batch] of batches.entries()) {
    // Where it ends its head says, which a disk may have changed: the last one is looked at, or there would be no way on.
    const isBelow = batch.nextOffset <= nextOffset;
    const mayBeSpoiled = batch.baseOffset >= nextOffset || index === batches.length - 1;
    if (isBelow && (!mayBeSpoiled || batch.isIntact)) continue;
    lose(nextOffset, batch.baseOffset);
    const first = Math.max(nextOffset, batch.baseOffset);
    if (!batch.isIntact) {
      nextOffset = endOfSpoiled(batch, first, batches[index + 1]);
      epoch = batch.leaderEpoch;
      lose(first, nextOffset, 'a wrong checksum');
      continue;
    }
    if (batch.isControl) {
      const { marker } = batch;
      if (marker) markers.push(marker);
    } else {
      const most = MAX_RECORDS - records.length;
      const some = batch.recordsFrom(first, most);
      if (records.length === 0) records = some;
      else for (const record of some) records.push(record);
      unpackCost += batch.unpackCost;
      if (batch.damage) damage = { error: batch.damage, nextOffset: batch.nextOffset };
      const last = some.at(-1);
      const isCut = some.length === most && last !== undefined;
      const end = isCut ? last.offset + 1 : batch.nextOffset;
      if (!batch.isComplete) eachGap(some, first, end, lose);
      if (isCut)
        return { records, markers, nextOffset: end, epoch: batch.leaderEpoch, unpackCost, damage, lost };
    }
    nextOffset = batch.nextOffset;
    epoch = batch.leaderEpoch;
    if (unpackCost >= MAX_UNPACK_COST) break;
  }
  return { records, markers, nextOffset, epoch, unpackCost, damage, lost };
}

/** Calls back with each stretch of offsets, from one to in front of another, that none of these records has. */
function eachGap(
  records: readonly RawRecord[],
  first: number,
  end: number,
  visit: (first: number, end: number) => void,
): void {
  let from = first;
  for (const { offset } of records) {
    visit(from, offset);
    from = offset + 1;
  }
  visit(from, end);
}

/**
 * The offset after a batch whose head cannot be believed: where the next one begins, or what two of its fields agree on;
 * otherwise the next offset, so that nothing which may lie behind it is missed.
 */
function endOfSpoiled(batch: LogBatch, first: number, next: LogBatch | undefined): number {
  if (next !== undefined && next.baseOffset > first) return next.baseOffset;
  return batch.isComplete ? Math.max(batch.nextOffset, first + 1) : first + 1;
}

/** A batch that was left out in part or as a whole, and of which partition. */
export interface LeftOut {
  readonly partition: number;
  readonly reason: string;
  /** Where the next one begins. */
  readonly nextOffset: number;
}

/** Calls back for each batch that could not be read, in part or as a whole. */
export function tellLeftOut(
  partition: number,
  { damage, lost }: ReadRecords,
  onLeftOut: (leftOut: LeftOut) => void,
): void {
  if (damage) onLeftOut({ partition, reason: damage.error.message, nextOffset: damage.nextOffset });
  for (const { last, reason } of lost) {
    // That records are missing is the rule where a topic is compacted.
    if (reason !== 'not in the log') onLeftOut({ partition, reason, nextOffset: last + 1 });
  }
}
