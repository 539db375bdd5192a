import type { OffsetRange } from '../../core/inboxes.ts';

/**
 * Messages that a client was given and has not acknowledged, by offset. Pushed ones are at most as many as the
 * window is wide, since at that number the inbox rests. Retrieved ones are at most as many as fit into one page:
 * each page begins with the oldest that are not acknowledged, so none is outside the page that was asked for last.
 */
export class Window {
  readonly #width: number;
  /** Ascending. */
  #pushed: number[] = [];
  #retrieved: number[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  get isFull(): boolean {
    return this.#pushed.length >= this.#width;
  }

  pushed(offset: number): void {
    // Nearly always the last one: only transactions are pushed later than their place in the log says.
    const at = this.#pushed.findLastIndex((other) => other < offset);
    this.#pushed.splice(at + 1, 0, offset);
  }

  retrieved(offsets: readonly number[]): void {
    this.#retrieved = [...new Set([...this.#retrieved, ...offsets])].sort((a, b) => a - b);
  }

  /** Takes out what these ranges acknowledge; ranges of what was really there, in no particular order. */
  acknowledge(ranges: readonly OffsetRange[]): OffsetRange[] {
    const [range] = ranges;
    if (ranges.length === 1 && range !== undefined && this.#isNextPush(range)) {
      const offset = this.#pushed.shift() ?? 0;
      return [{ first: offset, last: offset }];
    }
    const sorted = [...ranges].sort((a, b) => a.first - b.first);
    const [pushed, keptPushed] = split(this.#pushed, sorted);
    const [retrieved, keptRetrieved] = split(this.#retrieved, sorted);
    this.#pushed = keptPushed;
    this.#retrieved = keptRetrieved;
    return [...runs(pushed), ...runs(retrieved)];
  }

  /** The usual case: of all that is on its way a range is about the oldest push and nothing else. */
  #isNextPush({ first, last }: OffsetRange): boolean {
    const [oldest = Number.POSITIVE_INFINITY, next = Number.POSITIVE_INFINITY] = this.#pushed;
    return this.#retrieved.length === 0 && first <= oldest && oldest <= last && last < next;
  }
}

/** Offsets inside and outside the ranges, both ascending: one walk along both, since ranges are sorted. */
function split(offsets: readonly number[], ranges: readonly OffsetRange[]): [number[], number[]] {
  const inside: number[] = [];
  const outside: number[] = [];
  let next = 0;
  let reach = -1;
  for (const offset of offsets) {
    for (let range = ranges[next]; range !== undefined && range.first <= offset; range = ranges[next]) {
      reach = Math.max(reach, range.last);
      next += 1;
    }
    (offset <= reach ? inside : outside).push(offset);
  }
  return [inside, outside];
}

/** Neighbouring offsets, ascending, as ranges. */
export function runs(offsets: readonly number[]): OffsetRange[] {
  const found: { first: number; last: number }[] = [];
  for (const offset of offsets) {
    const run = found.at(-1);
    if (run !== undefined && run.last + 1 === offset) run.last = offset;
    else found.push({ first: offset, last: offset });
  }
  return found;
}
