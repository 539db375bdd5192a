import { createHash } from 'node:crypto';
import { type EpochEnd, Epochs, UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Surprise } from '../../../core/inboxes.ts';
import { demandUuid } from '../../../util/uuid.ts';
import type { LogBounds } from '../fetch/log-reader.ts';
import { DeliveredOffsets, MAX_GONE_CHARACTERS } from './delivered-offsets.ts';

/** What is committed for an inbox. */
export interface Commit {
  readonly offset: number;
  /** Leader epoch of the last delivered record; -1 where who committed said none. */
  readonly epoch: number;
  readonly metadata: string;
}

/** Ranges of `gone` that are remembered: each takes three characters at least. */
const MAX_GONE_RANGES = Math.floor(MAX_GONE_CHARACTERS / 3);
const INBOX_ID_BYTES = 16;

/**
 * Where the owner of an inbox is in its log: what was delivered, under which leader epochs it was appended, and what was
 * gone unread. Commits keep all of it.
 *
 *     past   = epochs ["!" cut] [";" gone]
 *     epochs = as in epochs.ts, below the top of what was delivered
 *     cut    = epoch of the log when it was last found cut, base 36
 *     gone   = ranges, as in delivered-offsets.ts, from -1 on
 */
export class Position {
  readonly delivered: DeliveredOffsets;
  readonly epochs: Epochs;
  /** Delivered offsets that were deleted unread: they count as delivered in no other respect. */
  readonly gone: DeliveredOffsets;
  #cutUnder: number;

  constructor(
    delivered: DeliveredOffsets,
    epochs = new Epochs(),
    gone = new DeliveredOffsets(-1),
    cutUnder: number = UNKNOWN_EPOCH,
  ) {
    this.delivered = delivered;
    this.epochs = epochs;
    this.gone = gone;
    this.#cutUnder = cutUnder;
  }

  /** What any of several devices has: what a device begins with that was never there, and what counts as delivered to the owner. */
  static union(positions: readonly Position[]): Position {
    const low = Math.max(0, ...positions.map(({ delivered }) => delivered.low));
    const both = new Position(new DeliveredOffsets(low));
    // The one that knows most of the log's end first: what contradicts it is older.
    const newestFirst = [...positions].sort((a, b) => b.delivered.top - a.delivered.top);
    for (const { delivered, epochs, gone, cutUnder } of newestFirst) {
      for (const range of delivered.ranges) both.delivered.add(...range);
      for (const start of epochs.starts) both.epochs.note(...start);
      // Rather called gone than delivered: whoever had it says so in its own.
      for (const range of gone.ranges) both.gone.add(...range);
      both.#cutUnder = Math.max(both.#cutUnder, cutUnder);
    }
    return both;
  }

  /** Epoch of the log when it was last found cut: its offsets mean other messages since then. `UNKNOWN_EPOCH`: never. */
  get cutUnder(): number {
    return this.#cutUnder;
  }

  /**
   * Names the inbox so that with an offset it names one message for ever: by its topic, and once its log was found cut, so that
   * offsets came again, by the leader epoch at which that was.
   * @param topicId Kafka's id of the topic (a UUID), which it is while it was never cut
   * @returns 16 bytes
   */
  inboxId(topicId: string): Uint8Array {
    if (this.#cutUnder === UNKNOWN_EPOCH) return demandUuid(topicId);
    return createHash('sha256').update(`${topicId} ${this.#cutUnder}`).digest().subarray(0, INBOX_ID_BYTES);
  }

  /** Of the last record that was delivered. */
  get epoch(): number {
    return this.epochs.at(this.delivered.top - 1);
  }

  /**
   * Brings it into line with the log as it is.
   * @param ends how far the log has the epoch of the last delivered record; null where nobody has asked, since the log's
   * leader epoch is still that one, or none is known
   */
  resume({ start, end, epoch }: LogBounds, ends: EpochEnd | null): Surprise {
    const { delivered } = this;
    let again = 0;
    const { top } = delivered;
    // Without an epoch only the end says that something is missing, and nobody knows from where on.
    let parts = ends === null ? Number.POSITIVE_INFINITY : this.epochs.partsFrom(ends);
    if (ends === null && top > end) parts = start;
    if (parts < top) {
      const from = Math.max(parts, start);
      again = delivered.count(from, Math.min(top, end) - 1);
      this.cut(from, epoch);
    }
    return { again, gone: this.skipTo(start) };
  }

  /** From this offset on the log is another one. @param epoch the log's by now */
  cut(from: number, epoch: number): void {
    this.delivered.cut(from);
    this.epochs.cut(from);
    this.gone.cut(from);
    this.#cutUnder = epoch;
  }

  /** The log begins here by now: what lies in front of that and was not delivered is gone. @returns how much */
  skipTo(start: number): number {
    return this.lose(this.delivered.low, start - 1);
  }

  /** The log has first..last no more: what of that was not delivered is gone. @returns how much */
  lose(first: number, last: number): number {
    let lost = 0;
    const { delivered, gone } = this;
    for (let from = delivered.nextMissing(first); from <= last; from = delivered.nextMissing(from)) {
      const acknowledged = delivered.ranges.find(([start]) => start > from)?.[0] ?? Number.POSITIVE_INFINITY;
      const to = Math.min(last, acknowledged - 1);
      lost += to - from + 1;
      gone.add(from, to);
      if (gone.ranges.length > MAX_GONE_RANGES) this.#joinOldest();
      delivered.add(from, to);
    }
    return lost;
  }

  /** The two oldest of `gone` become one, with what lies between them: rather called gone than delivered. */
  #joinOldest(): void {
    const [[first] = [0], [, last] = [0, 0]] = this.gone.ranges;
    this.gone.add(first, last);
  }

  /** What is to be committed. @param inbox this life of it @param correspondents whom its owner has written to, encoded */
  commit(inbox: Uint8Array, correspondents: string): Commit {
    const metadata = this.delivered.encode(inbox, correspondents, this.encode());
    return { offset: this.delivered.low, epoch: this.epoch, metadata };
  }

  /** As a commit's metadata has it. */
  encode(): string {
    const cut = this.#cutUnder === UNKNOWN_EPOCH ? '' : `!${this.#cutUnder.toString(36)}`;
    let gone = this.gone.encodeRanges();
    for (; gone.length > MAX_GONE_CHARACTERS; gone = this.gone.encodeRanges()) this.#joinOldest();
    return this.epochs.encode(this.delivered.top) + cut + (gone && `;${gone}`);
  }

  /**
   * Reads a commit back.
   * @returns null when it is of another life, of another format, or damaged: then it counts as missing
   */
  static decode(commit: Commit, inbox: Uint8Array): Position | null {
    const { offset, epoch, metadata } = commit;
    const delivered = DeliveredOffsets.decode(offset, metadata, inbox);
    const past = /^([^!;]*)(?:!([0-9a-z]{1,7}))?(?:;(.+))?$/.exec(metadata.split(' ')[4] ?? '');
    if (delivered === null || past === null) return null;
    const [, starts = '', cut, ranges = ''] = past;
    const epochs = Epochs.decode(starts);
    const gone = DeliveredOffsets.decodeRanges(-1, ranges);
    if (epochs === null || gone === null) return null;
    // Where the list says nothing of its last record, Kafka's own field does.
    if (delivered.top > 0) epochs.note(delivered.top - 1, epoch);
    return new Position(
      delivered,
      epochs,
      gone,
      cut === undefined ? UNKNOWN_EPOCH : Number.parseInt(cut, 36),
    );
  }
}
