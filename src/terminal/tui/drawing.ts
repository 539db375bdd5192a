import type { ScreenFrame } from './frame.ts';
import { type Row, sameRow, span } from './rows.ts';

/**
 * What comes by itself is drawn at once, but not again sooner than this: many messages are drawn together, and between
 * their frames there is time for keys, which are drawn at once.
 */
const FRAME_MS = 100;
/** What comes together from the socket is seen together. */
const MIN_FRAME_MS = 5;
const BLANK_ROW: Row = [];
/** Longer than what Ink puts together into one frame. */
const BLANK_MS = 20;

/**
 * When there is another frame, and which rows of it are new. Frames are made when something has happened: whoever looks at
 * one, as often as they like, changes nothing.
 */
export class Drawing {
  readonly #draw: () => ScreenFrame;
  readonly #listeners = new Set<() => void>();
  #frame: ScreenFrame = { rows: [], foot: 0, cursor: null };
  #body: readonly Row[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** By the monotonic clock. */
  #shownAt = 0;
  #blank: ScreenFrame | null = null;
  #hasEnded = false;

  /** @param draw makes the frame of the present state; called once for each, before anybody is told of it */
  constructor(draw: () => ScreenFrame) {
    this.#draw = draw;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** The frame to show, empty before the first one; the same object until there is another. */
  readonly getFrame = (): ScreenFrame => this.#frame;

  /** The rows above the foot, and blank ones in its place; the same array until one of them has changed. */
  readonly getBody = (): readonly Row[] => this.#body;

  /** Shows at once what has changed. */
  now(): void {
    if (this.#hasEnded) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shownAt = performance.now();
    this.#take(this.#blank ?? this.#draw());
    for (const listener of this.#listeners) listener();
  }

  soon(): void {
    if (this.#hasEnded) return;
    const wait = this.#shownAt + FRAME_MS - performance.now();
    this.#timer ??= setTimeout(() => this.now(), Math.max(MIN_FRAME_MS, wait));
  }

  /** Something else wrote on the terminal: each row is drawn anew, which takes a frame without any. */
  anew(columns: number, rows: number): void {
    this.#blank = {
      rows: Array.from({ length: rows }, () => [span(' '.repeat(columns))]),
      foot: rows,
      cursor: null,
    };
    setTimeout(() => {
      this.#blank = null;
      this.now();
    }, BLANK_MS);
  }

  /** There are no more frames, also none that was to be shown soon. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /** Rows that did not change stay the same objects, so that nobody draws them again. */
  #take(frame: ScreenFrame): void {
    const rows = frame.rows.map((row, index) => {
      const was = this.#frame.rows[index];
      return was !== undefined && sameRow(row, was) ? was : row;
    });
    this.#frame = { ...frame, rows };
    const before = this.#body;
    const body = rows.map((row, index) => (index < frame.foot ? row : BLANK_ROW));
    const isSame = body.length === before.length && body.every((row, index) => row === before[index]);
    if (!isSame) this.#body = body;
  }
}
