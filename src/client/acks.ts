import { MAX_ACK_RANGES } from '../protocol/v2/requests.ts';

/** As the payload of an ack. */
export interface Ack {
  readonly upTo?: number;
  readonly ranges?: readonly (readonly [first: number, last: number])[];
}

/**
 * Which received messages were shown and can be acknowledged. In a session with `deliver: all` they come in the order of the
 * inbox from its oldest undelivered one on, and what lies between two of them is no message; in any other it may be one.
 */
export class Acks {
  readonly #areAll: boolean;
  /** Received and not shown, ascending. Bounded by who calls `received` (see `open`). */
  #open: number[] = [];
  /** Shown and not acknowledged, in any order. */
  #shown: number[] = [];

  /** @param areAll whether nothing lies between two messages */
  constructor(areAll = true) {
    this.#areAll = areAll;
  }

  /** How many messages wait to be shown. */
  get open(): number {
    return this.#open.length;
  }

  /** How many wait to be acknowledged. */
  get waiting(): number {
    return this.#shown.length;
  }

  /** Whether the message waits to be shown. */
  isOpen(seq: number): boolean {
    return this.#open.includes(seq);
  }

  /** A message was received; coming again while it waits to be shown, it is the same one. */
  received(seq: number): void {
    const at = this.#open.findLastIndex((other) => other <= seq);
    if (this.#open[at] !== seq) this.#open.splice(at + 1, 0, seq);
  }

  /** A received message was shown; anything else is ignored. */
  shown(seq: number): void {
    const at = this.#open.indexOf(seq);
    if (at === -1) return;
    this.#open.splice(at, 1);
    this.#shown.push(seq);
  }

  /** What to acknowledge now, or null. As many ranges as one ack may have; the rest is for the next call. */
  take(): Ack | null {
    if (this.#shown.length === 0) return null;
    const oldestOpen = this.#areAll ? (this.#open[0] ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
    const sorted = this.#shown.toSorted((one, other) => one - other);
    const upTo = sorted.findLast((seq) => seq < oldestOpen);
    const above = sorted.filter((seq) => seq > oldestOpen);
    const all = rangesOf(above);
    const ranges = all.slice(0, MAX_ACK_RANGES);
    const end = ranges.at(-1)?.[1] ?? 0;
    this.#shown = above.filter((seq) => seq > end);
    return { ...(upTo === undefined ? {} : { upTo }), ...(ranges.length === 0 ? {} : { ranges }) };
  }

  /** A new session on the same inbox: what was not acknowledged comes again, and what waits to be shown still does. */
  renewed(): void {
    this.#shown = [];
  }

  /** Another inbox. */
  clear(): void {
    this.#shown = [];
    this.#open = [];
  }
}

function rangesOf(ascending: readonly number[]): (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const seq of ascending) {
    const last = ranges.at(-1);
    if (last !== undefined && seq <= last[1] + 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
}
