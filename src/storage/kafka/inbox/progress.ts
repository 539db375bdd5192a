import type { Logger } from 'pino';
import type { Account } from '../../../core/accounts.ts';
import { type EpochEnd, UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { InboxMessage } from '../../../core/inboxes.ts';
import type { InboxNote } from '../../../core/notes.ts';
import type { LogPosition } from '../fetch/log-reader.ts';
import type { DeliveredOffsets } from '../groups/delivered-offsets.ts';
import type { Position } from '../groups/position.ts';
import type { Lost } from '../wire/fetched-records.ts';
import { bytesOf, type Marker, type RawRecord } from '../wire/log-batch.ts';
import { MAX_RECORD_BYTES } from '../wire/topics.ts';
import { RareWarning } from '../wire/trouble.ts';
import { HeldBack, type Markers } from './held-back.ts';
import { type DecodedRecord, decodeRecord } from './record.ts';
import type { Trust } from './trust.ts';

const LOST = 'messages are lost that nobody had received: see docs/operations.md';

export interface ProgressOptions {
  /** Whose log it is: this life of an account, or of a room. */
  readonly owner: Pick<Account, 'name' | 'incarnation'>;
  /** What is in a record; read here unless that is done once for many. */
  readonly decode?: ((raw: RawRecord) => DecodedRecord) | undefined;
  readonly topic: string;
  readonly position: Position;
  /** Messages before this one are left to `read`; from here on they are pushed. */
  readonly liveStart: number;
  /** Leader epoch of the record in front of that. */
  readonly epoch: number;
  readonly trust: Trust;
  readonly log: Logger;
  /** Records and batches that are none of anybody's messages. */
  readonly steppedOver: RareWarning;
  /** Whose notes are stepped over; null: everybody's. */
  readonly notesBut: { readonly device: string | undefined } | null;
  /** There is something to commit. */
  readonly touch: () => void;
}

/**
 * How far one owner is in one log: what was delivered, what was handed out, what comes next, and what waits for the end of another
 * program's transaction. It makes messages of records, and knows neither how they come nor where they go.
 */
export class Progress {
  readonly position: Position;
  readonly liveStart: number;
  readonly #options: ProgressOptions;
  readonly #delivered: DeliveredOffsets;
  /** What of others' transactions waits for their end. */
  readonly #held = new HeldBack();
  #next: number;
  #epoch: number;
  /** Last offset that the owner was given, by push or by read. */
  #handedOut: number;
  /** A compaction may leave thousands of holes. */
  readonly #lost: RareWarning;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.position = options.position;
    this.#delivered = options.position.delivered;
    this.liveStart = options.liveStart;
    this.#next = options.liveStart;
    this.#epoch = options.epoch;
    this.#handedOut = options.liveStart - 1;
    this.#lost = new RareWarning((fields) => options.log.warn(fields, LOST));
  }

  /** Offset after the last one that was pushed or stepped over. */
  get next(): number {
    return this.#next;
  }

  /** Leader epoch of the record in front of that. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Nothing was appended under the epoch before, and the log has forgotten it. */
  set epoch(epoch: number) {
    this.#epoch = epoch;
  }

  /** Where to read on: what comes late comes first. */
  get place(): LogPosition {
    const { firstLate } = this.#held;
    return firstLate === undefined
      ? { offset: this.#next, epoch: this.#epoch }
      : { offset: firstLate, epoch: UNKNOWN_EPOCH };
  }

  /** Whether so many ranges are open that delivery has to wait for a gap to close. */
  get isFull(): boolean {
    // Gaps of what is held back close by what is still to come.
    return this.#delivered.isFull() && !this.#held.isWaiting;
  }

  /** Whether the log has another record than the one in front of the next, by its leader's word. */
  isCutBy(ends: EpochEnd): boolean {
    return this.position.epochs.partsFrom(ends) < this.#next;
  }

  // ---- what comes of itself

  /** Whether a record was handed over already. */
  isBehind(offset: number): boolean {
    return offset < this.#next && !this.#held.isLate(offset);
  }

  /** What is in a record that is not behind; null where that is nothing for the owner, or not to be had yet. */
  take(raw: RawRecord, ends: Markers, lost: readonly Lost[]): InboxMessage | InboxNote | null {
    if (this.#held.isLate(raw.offset)) {
      this.#held.takeLate(raw.offset);
      return this.#decode(raw, this.#options.notesBut);
    }
    if (raw.offset > this.#next) this.#pass(this.#next, raw.offset - 1, lost);
    this.#next = raw.offset + 1;
    this.#epoch = raw.leaderEpoch;
    this.position.epochs.note(raw.offset, raw.leaderEpoch);
    if (this.#delivered.has(raw.offset) || this.#held.join(raw) || !this.#counts(raw, ends)) return null;
    return this.#decode(raw, this.#options.notesBut);
  }

  /**
   * What was fetched ends here. Of what was held back for a transaction that has ended, what was committed is to be brought once
   * more; what lies before the live messages waits for `read`, as all does there.
   * @param epoch of the record in front of the offset
   * @param markers ends of transactions in what was fetched
   * @returns where to read on, if that is somewhere else
   */
  reach(
    nextOffset: number,
    epoch: number,
    markers: readonly Marker[],
    lost: readonly Lost[],
  ): LogPosition | null {
    const wasBack = nextOffset < this.#next;
    if (nextOffset > this.#next) {
      this.#pass(this.#next, nextOffset - 1, lost);
      this.#next = nextOffset;
      this.#epoch = epoch;
    }
    if (markers.length === 0 && this.#held.firstLate === undefined && !wasBack) return null;
    // The log has it no more.
    for (const range of this.#held.dropLateBelow(nextOffset)) this.#lose(...range, 'not in the log');
    for (const marker of markers) this.#end(marker);
    const { place } = this;
    return place.offset === nextOffset ? null : place;
  }

  #end(marker: Marker): void {
    this.position.epochs.note(marker.offset, marker.leaderEpoch);
    for (const [first, last] of this.#held.end(marker)) {
      if (!marker.isCommit) this.#deliver(first, last);
      else if (last >= this.liveStart) this.#held.addLate(Math.max(first, this.liveStart), last);
    }
  }

  /** Whether this is exactly the next message, under the leader that what is in front of it came from. */
  isNext(offset: number, epoch: number): boolean {
    return offset === this.#next && epoch === this.#epoch;
  }

  /** Whether it is being read again further back. */
  get isReadingBack(): boolean {
    return this.#held.firstLate !== undefined;
  }

  /** Steps over the next message, which was had without being fetched. @returns whether it is to be pushed */
  stepOver(offset: number, epoch: number): boolean {
    this.#next = offset + 1;
    this.position.epochs.note(offset, epoch);
    return !this.#delivered.has(offset);
  }

  // ---- what is asked for

  /** The first offset from `from` on that was neither acknowledged nor pushed. */
  nextToRead(from: number): number {
    const missing = this.#delivered.nextMissing(from);
    return missing >= this.liveStart && missing < this.#next
      ? this.#delivered.nextMissing(this.#next)
      : missing;
  }

  /**
   * The message in a record of the backlog; null where it is none, or a note, or not to be had yet, or was pushed.
   * @param from where reading has come to: what lies between is passed
   */
  read(raw: RawRecord, from: number, ends: Markers, lost: readonly Lost[]): InboxMessage | null {
    if (raw.offset > from) this.#pass(from, raw.offset - 1, lost);
    this.position.epochs.note(raw.offset, raw.leaderEpoch);
    if (this.nextToRead(raw.offset) !== raw.offset || !this.#counts(raw, ends)) return null;
    const found = this.#decode(raw, null);
    return found !== null && 'note' in found ? null : found;
  }

  /** Reading the backlog has found no more records up to this offset. */
  passTo(from: number, end: number, lost: readonly Lost[]): void {
    if (end > from) this.#pass(from, end - 1, lost);
  }

  /** The owner is given this one. */
  handOut(offset: number): void {
    this.#handedOut = Math.max(this.#handedOut, offset);
  }

  /** The owner has these. @returns whether anything changed */
  acknowledge(first: number, last: number): boolean {
    // Nobody can have what was not handed out yet.
    return this.#deliver(first, Math.min(last, this.#handedOut));
  }

  /** What was held back there is gone unread, which the next login finds out. */
  forgetBelow(offset: number): void {
    this.#held.forgetBelow(offset);
  }

  // ---- inside

  #decode(raw: RawRecord, notesBut: ProgressOptions['notesBut']): InboxMessage | InboxNote | null {
    const reason = this.#read(raw);
    if (typeof reason !== 'string') {
      if (!('note' in reason) || (notesBut !== null && reason.device !== notesBut.device)) return reason;
      this.#deliver(raw.offset, raw.offset);
      return null;
    }
    const { topic, steppedOver } = this.#options;
    steppedOver.note({ topic, offset: raw.offset, reason });
    this.#deliver(raw.offset, raw.offset);
    return null;
  }

  /** @returns why it is no message otherwise */
  #read(raw: RawRecord): InboxMessage | InboxNote | string {
    // No frame has room for it.
    if (bytesOf(raw) > MAX_RECORD_BYTES) return 'too large';
    const { decode, trust, owner } = this.#options;
    const decoded = decode ? decode(raw) : decodeRecord(trust, owner, raw);
    if (decoded.kind === 'message') return decoded.message;
    return decoded.kind === 'note' ? decoded.note : decoded.reason;
  }

  /** Offsets without a record: what was lost of them is gone, the others are of no account, and count as delivered. */
  #pass(first: number, last: number, lost: readonly Lost[]): void {
    for (const range of lost) {
      if (range.first > last) break;
      this.#lose(Math.max(first, range.first), Math.min(last, range.last), range.reason);
    }
    this.#deliver(first, last);
  }

  /** Nobody will ever get what lay there: its senders hear so by the next commit. */
  #lose(first: number, last: number, reason: Lost['reason']): void {
    if (first > last || this.position.lose(first, last) === 0) return;
    this.#options.touch();
    this.#lost.note({ topic: this.#options.topic, first, last, reason });
  }

  /** What of these is not held back counts as delivered. @returns whether anything changed */
  #deliver(first: number, last: number): boolean {
    let hasChanged = false;
    if (this.#held.isWaiting) {
      for (const range of this.#held.outside(first, last)) {
        if (this.#delivered.add(...range)) hasChanged = true;
      }
    } else {
      hasChanged = this.#delivered.add(first, last);
    }
    if (hasChanged) this.#options.touch();
    return hasChanged;
  }

  /** Whether a record is not of a transaction that was aborted, or is open. */
  #counts(raw: RawRecord, ends: Markers): boolean {
    const standing = this.#held.judge(raw, ends);
    if (standing === 'aborted') this.#deliver(raw.offset, raw.offset);
    return standing === 'counts';
  }
}
