import type { WindowNotice } from '../../../core/windows.ts';
import type { Remark, Unshown } from './chunk.ts';

/** At most one line of each kind in this time. */
const EVERY_MS = 1_000;

const COUNT = new Intl.NumberFormat('en');

export interface UnshownOptions {
  readonly topic: string;
  readonly maxAgeMs: number;
  readonly maxRecords: number;
  readonly say: (notice: WindowNotice) => void;
  /** All that was noted was said. */
  readonly onTold: () => void;
}

/** What somebody is not shown of a topic, summed up in a line a second. */
export class UnshownRecords {
  readonly #options: UnshownOptions;
  readonly #sums = new Map<
    Unshown,
    { records: number; readonly partition: number; readonly offset: number }
  >();
  /** By partition: the first one that was not said yet. */
  readonly #firsts = new Map<number, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: UnshownOptions) {
    this.#options = options;
  }

  note(partition: number, { why, records, from }: Remark): void {
    const sum = this.#sums.get(why);
    if (sum === undefined) this.#sums.set(why, { records, partition, offset: from });
    else sum.records += records;
    this.#firsts.set(partition, Math.min(from, this.#firsts.get(partition) ?? from));
    this.#timer ??= setTimeout(() => this.tell(), EVERY_MS);
  }

  /** The first offset of a partition that is to be said yet. */
  first(partition: number): number | undefined {
    return this.#firsts.get(partition);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Says all that was noted. */
  tell(): void {
    this.close();
    for (const [why, { records, partition, offset }] of this.#sums) {
      const place = `${this.#options.topic}/${partition}/${offset}`;
      const text = `${COUNT.format(records)} ${this.#sentence(why, place)}`;
      this.#options.say({ text, records, from: { partition, offset } });
    }
    this.#sums.clear();
    this.#firsts.clear();
    this.#options.onTold();
  }

  #sentence(why: Unshown, place: string): string {
    const { maxAgeMs, maxRecords } = this.#options;
    switch (why) {
      case 'untold':
        return `more, from ${place} on: /raw to see them`;
      case 'old':
        return `older than ${COUNT.format(maxAgeMs / 3_600_000)} hours are not shown, from ${place} on`;
      case 'skipped':
        return `are not shown, from ${place} on: only the newest ${COUNT.format(maxRecords)} of a topic are`;
      case 'gone':
        return `were deleted unread, from ${place} on`;
      case 'unreadable':
        return `or more cannot be read, at ${place}`;
    }
  }
}
