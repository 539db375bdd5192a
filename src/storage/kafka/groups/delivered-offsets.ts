import { MAX_EPOCHS_CHARACTERS } from '../../../core/epochs.ts';
import { uuidText } from '../../../util/uuid.ts';
import { MAX_CORRESPONDENTS_CHARACTERS } from './correspondents.ts';

/** Offsets first..last, both included. */
export type OffsetPair = readonly [first: number, last: number];

/** Kafka's limit for the metadata of a commit (`offset.metadata.max.bytes`), in characters: ours is ASCII. */
export const MAX_METADATA_CHARACTERS = 4_096;

/** Characters for the offsets that were gone unread. */
export const MAX_GONE_CHARACTERS = 400;

/**
 * Past this length an inbox delivers nothing more until a gap closes: the rest of the 4,096 is room for what is
 * still under way to the client, for the correspondents, and for what is known of the log.
 */
const FULL_CHARACTERS = 3_400 - MAX_CORRESPONDENTS_CHARACTERS - MAX_EPOCHS_CHARACTERS - MAX_GONE_CHARACTERS;

const FORMAT = '1';

/**
 * What of an inbox was delivered: every offset below `low`, and the ranges above it that were acknowledged out of
 * order. Commits of the group keep both: the offset is `low`, the metadata holds the ranges.
 *
 *     metadata = "1" SP inbox SP [range *("," range)] [SP correspondents [SP past]]
 *     inbox    = which life of the inbox it is of, a UUID (`inboxLifeOf`)
 *     range    = gap ["+" more]      both base 36: offsets skipped since the end of the last range, and
 *                                    how many follow the first one of this range
 *     past     = what is known of the log (position.ts)
 */
export class DeliveredOffsets {
  #low: number;
  /** Ascending, disjoint, never touching each other nor `low`. */
  readonly #ranges: [number, number][] = [];

  constructor(low: number, ranges: Iterable<OffsetPair> = []) {
    this.#low = low;
    for (const [first, last] of ranges) this.add(first, last);
  }

  /** First offset that is not delivered. */
  get low(): number {
    return this.#low;
  }

  get ranges(): readonly OffsetPair[] {
    return this.#ranges;
  }

  /** The offset after the last one that is acknowledged. */
  get top(): number {
    const last = this.#ranges.at(-1);
    return last === undefined ? this.#low : last[1] + 1;
  }

  /** How many offsets above `low` are acknowledged. */
  get acknowledgedAbove(): number {
    let sum = 0;
    for (const [first, last] of this.#ranges) sum += last - first + 1;
    return sum;
  }

  has(offset: number): boolean {
    if (offset < this.#low) return true;
    const index = this.#indexAfter(offset);
    const range = this.#ranges[index];
    return range !== undefined && range[0] <= offset;
  }

  /** The first offset from `from` on that is not acknowledged. */
  nextMissing(from: number): number {
    if (from < this.#low) return this.#low;
    const range = this.#ranges[this.#indexAfter(from)];
    return range !== undefined && range[0] <= from ? range[1] + 1 : from;
  }

  /**
   * Marks first..last as delivered.
   * @returns whether anything changed
   */
  add(first: number, last: number): boolean {
    let from = Math.max(first, this.#low);
    let to = last;
    if (to < from) return false;
    // Everything from the first range that ends at or after from - 1 to the last that starts at or before to + 1 melts in.
    const start = this.#indexAfter(from - 1);
    let end = start;
    for (
      let range = this.#ranges[end];
      range !== undefined && range[0] <= to + 1;
      range = this.#ranges[++end]
    ) {
      if (range[0] <= from && range[1] >= to) return false;
      from = Math.min(from, range[0]);
      to = Math.max(to, range[1]);
    }
    if (from <= this.#low) {
      this.#low = to + 1;
      this.#ranges.splice(0, end);
    } else {
      this.#ranges.splice(start, end - start, [from, to]);
    }
    return true;
  }

  /** From this offset on nothing is acknowledged: what lies there now is something else. */
  cut(offset: number): void {
    this.#low = Math.min(this.#low, offset);
    let index = this.#indexAfter(offset);
    const reaching = this.#ranges[index];
    if (reaching !== undefined && reaching[0] < offset) {
      reaching[1] = offset - 1;
      index += 1;
    }
    this.#ranges.splice(index);
  }

  /** How many offsets first..last are acknowledged. */
  count(first: number, last: number): number {
    let sum = Math.max(0, Math.min(last + 1, this.#low) - first);
    for (const [from, to] of this.#ranges) sum += Math.max(0, Math.min(to, last) - Math.max(from, first) + 1);
    return sum;
  }

  /** Whether so many ranges are open that delivery has to wait for a gap to close. */
  isFull(): boolean {
    // A range takes at most 24 characters, so few ranges need no encoding to know.
    return this.#ranges.length * 24 > FULL_CHARACTERS && this.encodeRanges().length > FULL_CHARACTERS;
  }

  /**
   * The metadata for a commit. Ranges that do not fit are left out from the top: they are delivered again.
   * @param inbox 16 bytes (`inboxLifeOf`)
   * @param correspondents whom the owner has written to (correspondents.ts), which goes along
   * @param past what is known of the log (position.ts), likewise
   */
  encode(inbox: Uint8Array, correspondents = '', past = ''): string {
    const head = `${FORMAT} ${uuidText(inbox)} `;
    const tail = past !== '' ? ` ${correspondents} ${past}` : correspondents && ` ${correspondents}`;
    const room = MAX_METADATA_CHARACTERS - head.length - tail.length;
    let ranges = this.encodeRanges();
    if (ranges.length > room) ranges = ranges.slice(0, ranges.lastIndexOf(',', room));
    return head + ranges + tail;
  }

  /**
   * Reads a commit back.
   * @returns null when it is not of this inbox, not of this format, or damaged: then it counts as missing
   */
  static decode(offset: number, metadata: string, inbox: Uint8Array): DeliveredOffsets | null {
    const [format, id, ranges, _correspondents, _past, ...more] = metadata.split(' ');
    if (format !== FORMAT || id !== uuidText(inbox) || ranges === undefined || more.length > 0) return null;
    return DeliveredOffsets.decodeRanges(offset, ranges);
  }

  /** Reads what `encodeRanges` wrote; null for anything else. */
  static decodeRanges(low: number, ranges: string): DeliveredOffsets | null {
    const delivered = new DeliveredOffsets(low);
    let position = low;
    for (const range of ranges === '' ? [] : ranges.split(',')) {
      const match = /^([0-9a-z]{1,11})(?:\+([0-9a-z]{1,11}))?$/.exec(range);
      if (!match?.[1]) return null;
      const first = position + Number.parseInt(match[1], 36);
      const last = first + Number.parseInt(match[2] ?? '0', 36);
      if (!Number.isSafeInteger(last)) return null;
      delivered.add(first, last);
      position = last + 1;
    }
    return delivered;
  }

  /** The ranges, as they are written into a commit. */
  encodeRanges(): string {
    let position = this.#low;
    const parts: string[] = [];
    for (const [first, last] of this.#ranges) {
      const more = last > first ? `+${(last - first).toString(36)}` : '';
      parts.push((first - position).toString(36) + more);
      position = last + 1;
    }
    return parts.join(',');
  }

  /** Index of the first range whose end is at or after the offset. */
  #indexAfter(offset: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range[1] < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
