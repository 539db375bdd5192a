/** Of what nobody has said under which leader it was appended. Kafka has the same number for it. */
export const UNKNOWN_EPOCH = -1;

/** From this offset on records were appended under that leader epoch. */
export type EpochStart = readonly [offset: number, epoch: number];

/** Epochs remembered; past that the oldest is forgotten. Each restart or move of a leader begins one, if it appends anything. */
const MOST = 16;
/** Characters that they take in a commit's metadata, at most. */
export const MAX_EPOCHS_CHARACTERS = MOST * 19;

/**
 * How far a log has the records of a leader epoch, by its leader's word: of the largest epoch that it has up to the one
 * that was asked for, and the offset after the last record of that one.
 */
export interface EpochEnd {
  readonly epoch: number;
  readonly end: number;
}

/**
 * Under which leader epochs the records of one log were appended, as far as they were seen. Along a log epochs only rise,
 * and one epoch is one leader: two logs that have the same epoch at an offset are the same up to there.
 *
 *     text  = [start *("," start)]
 *     start = offset "@" epoch        both base 36; ascending
 */
export class Epochs {
  readonly #starts: [offset: number, epoch: number][] = [];

  constructor(starts: Iterable<EpochStart> = []) {
    for (const [offset, epoch] of starts) this.note(offset, epoch);
  }

  get starts(): readonly EpochStart[] {
    return this.#starts;
  }

  /** The oldest one that is known. */
  get first(): number {
    return this.#starts[0]?.[1] ?? UNKNOWN_EPOCH;
  }

  /** The record at this offset was appended under that epoch. What is no news, or contradicts what is known, changes nothing. */
  note(offset: number, epoch: number): void {
    const starts = this.#starts;
    let index = starts.length;
    while (index > 0 && (starts[index - 1]?.[0] ?? 0) > offset) index -= 1;
    const before = starts[index - 1]?.[1] ?? UNKNOWN_EPOCH;
    const after = starts[index];
    if (epoch <= before || (after !== undefined && epoch > after[1])) return;
    if (after?.[1] === epoch) {
      after[0] = offset;
      return;
    }
    starts.splice(index, 0, [offset, epoch]);
    if (starts.length > MOST) starts.shift();
  }

  /** Of the record at an offset; `UNKNOWN_EPOCH` in front of the first one known: that was forgotten, or never seen. */
  at(offset: number): number {
    for (let index = this.#starts.length - 1; index >= 0; index--) {
      const [from, epoch] = this.#starts[index] ?? [0, UNKNOWN_EPOCH];
      if (from <= offset) return epoch;
    }
    return UNKNOWN_EPOCH;
  }

  /** From where on a log with that end of an epoch, and this one, are not the same: 0 where that was forgotten. */
  partsFrom({ epoch, end }: EpochEnd): number {
    if (epoch < this.first && this.#starts.length === MOST) return 0;
    const later = this.#starts.find(([, known]) => known > epoch);
    return Math.min(end, later?.[0] ?? Number.POSITIVE_INFINITY);
  }

  /** Nothing is known from this offset on. */
  cut(offset: number): void {
    while ((this.#starts.at(-1)?.[0] ?? -1) >= offset) this.#starts.pop();
  }

  /** @param below what begins at this offset or later is left out */
  encode(below: number): string {
    const known = this.#starts.filter(([offset]) => offset < below);
    return known.map(([offset, epoch]) => `${offset.toString(36)}@${epoch.toString(36)}`).join(',');
  }

  /** @returns null for a text that `encode` has not made */
  static decode(text: string): Epochs | null {
    const epochs = new Epochs();
    for (const start of text === '' ? [] : text.split(',')) {
      const match = /^([0-9a-z]{1,11})@([0-9a-z]{1,7})$/.exec(start);
      const [offset, epoch] = [match?.[1], match?.[2]].map((digits) => Number.parseInt(digits ?? '', 36));
      const before = epochs.#starts.at(-1) ?? [-1, -1];
      if (!(offset !== undefined && offset > before[0] && Number.isSafeInteger(offset))) return null;
      if (!(epoch !== undefined && epoch > before[1])) return null;
      epochs.note(offset, epoch);
    }
    return epochs;
  }
}
