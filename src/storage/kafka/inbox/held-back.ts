import type { OffsetPair } from '../groups/delivered-offsets.ts';
import type { Marker, RawRecord } from '../wire/log-batch.ts';

/**
 * Pieces of one inbox that are remembered: neighbours of one producer are one piece. What comes beyond that is shown at once,
 * whatever becomes of its transaction.
 */
const MAX_PIECES = 1_024;

/** Where transactions end, by producer: what one stretch of a log tells of the records in it. */
export class Markers {
  readonly #byProducer = new Map<number, Marker[]>();

  /** @param markers in the order of the log */
  constructor(markers: readonly Marker[]) {
    for (const marker of markers) {
      const known = this.#byProducer.get(marker.producerId);
      if (known) known.push(marker);
      else this.#byProducer.set(marker.producerId, [marker]);
    }
  }

  /** The one that ends the transaction of a record of that producer. */
  after(producerId: number, offset: number): Marker | undefined {
    const markers = this.#byProducer.get(producerId) ?? [];
    let low = 0;
    for (let high = markers.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((markers[middle]?.offset ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return markers[low];
  }
}

const NONE = new Markers([]);

/** Of those that a fetch brought; nearly always none. */
export function markersOf(markers: readonly Marker[]): Markers {
  return markers.length === 0 ? NONE : new Markers(markers);
}

/** What a record is to its inbox: a message, of a transaction that was aborted, or of one that has not ended yet. */
export type Standing = 'counts' | 'aborted' | 'open';

/**
 * Offsets of one inbox that wait for the end of a transaction, each for that of its own producer, and those whose transaction
 * was committed after later ones had been pushed. None of them counts as delivered, whatever lies around it. Only places
 * are remembered: records are read again.
 */
export class HeldBack {
  readonly #open = new Map<number, Pieces>();
  readonly #late = new Pieces();

  /** The first one that is to be pushed now, though it lies before what was pushed. */
  get firstLate(): number | undefined {
    return this.#late.ranges[0]?.[0];
  }

  /** Whether something is held back, or still to be pushed. */
  get isWaiting(): boolean {
    return this.#open.size > 0 || this.firstLate !== undefined;
  }

  /** How a record stands, which is held back from now on if its transaction is open. */
  judge({ offset, transactionOf }: RawRecord, markers: Markers): Standing {
    if (transactionOf === null) return 'counts';
    const marker = markers.after(transactionOf, offset);
    if (marker !== undefined) {
      this.#remove(transactionOf, offset, offset);
      return marker.isCommit ? 'counts' : 'aborted';
    }
    return this.#hold(transactionOf, offset) ? 'open' : 'counts';
  }

  /**
   * Holds a record back behind earlier ones of its producer, if there are any: what one producer wrote comes in its order.
   * @returns whether it is held back
   */
  join({ offset, transactionOf }: RawRecord): boolean {
    return transactionOf !== null && this.#open.has(transactionOf) && this.#hold(transactionOf, offset);
  }

  /** A transaction has ended. @returns what was held back for it */
  end({ producerId, offset }: Marker): OffsetPair[] {
    return this.#remove(producerId, 0, offset);
  }

  /** These are to be pushed now. */
  addLate(first: number, last: number): void {
    this.#late.add(first, last);
  }

  isLate(offset: number): boolean {
    return this.#late.has(offset);
  }

  /** Below this offset nothing is to be pushed any more. @returns what was */
  dropLateBelow(offset: number): OffsetPair[] {
    return this.#late.remove(0, offset - 1);
  }

  takeLate(offset: number): void {
    this.#late.remove(offset, offset);
  }

  /** Nothing is there any more below this offset. */
  forgetBelow(offset: number): void {
    for (const producerId of [...this.#open.keys()]) this.#remove(producerId, 0, offset - 1);
    this.#late.remove(0, offset - 1);
  }

  /** What of a range is not held back. */
  outside(first: number, last: number): OffsetPair[] {
    let left: OffsetPair[] = [[first, last]];
    for (const pieces of [...this.#open.values(), this.#late]) {
      if (pieces.ranges.length > 0) left = left.flatMap((range) => pieces.outside(range));
    }
    return left;
  }

  /** @returns false where too much is held back already */
  #hold(producerId: number, offset: number): boolean {
    const pieces = this.#open.get(producerId) ?? new Pieces();
    if (!pieces.has(offset)) {
      if (!pieces.endsAt(offset - 1) && this.#size() >= MAX_PIECES) return false;
      pieces.add(offset, offset);
      this.#open.set(producerId, pieces);
    }
    return true;
  }

  #remove(producerId: number, first: number, last: number): OffsetPair[] {
    const pieces = this.#open.get(producerId);
    const removed = pieces?.remove(first, last) ?? [];
    if (pieces?.ranges.length === 0) this.#open.delete(producerId);
    return removed;
  }

  #size(): number {
    let size = this.#late.ranges.length;
    for (const pieces of this.#open.values()) size += pieces.ranges.length;
    return size;
  }
}

/** Ranges of offsets: ascending, none touching another one. */
class Pieces {
  ranges: [number, number][] = [];

  endsAt(offset: number): boolean {
    return this.ranges.at(-1)?.[1] === offset;
  }

  has(offset: number): boolean {
    return this.ranges.some(([first, last]) => first <= offset && offset <= last);
  }

  add(first: number, last: number): void {
    const end = this.ranges.at(-1);
    if (end !== undefined && end[1] === first - 1) {
      end[1] = last;
      return;
    }
    this.remove(first, last);
    const at = this.ranges.findIndex(([other]) => other > last);
    this.ranges.splice(at < 0 ? this.ranges.length : at, 0, [first, last]);
  }

  /** @returns what was there of it */
  remove(first: number, last: number): OffsetPair[] {
    const removed: OffsetPair[] = [];
    const kept: [number, number][] = [];
    for (const [from, to] of this.ranges) {
      if (to < first || from > last) {
        kept.push([from, to]);
        continue;
      }
      removed.push([Math.max(from, first), Math.min(to, last)]);
      if (from < first) kept.push([from, first - 1]);
      if (to > last) kept.push([last + 1, to]);
    }
    if (removed.length > 0) this.ranges = kept;
    return removed;
  }

  outside([first, last]: OffsetPair): OffsetPair[] {
    const left: OffsetPair[] = [];
    let from = first;
    for (const [start, end] of this.ranges) {
      if (end < from || start > last) continue;
      if (start > from) left.push([from, start - 1]);
      from = end + 1;
    }
    if (from <= last) left.push([from, last]);
    return left;
  }
}
