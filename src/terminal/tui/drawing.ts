import type { Frame } from './frame.ts';
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

/** When there is another frame, and which rows of it are new. */
export class Drawing {
  readonly #draw: () => Frame;
  readonly #listeners = new Set<() => void>();
  #frame: Frame = { rows: [], foot: 0, cursor: null };
  #body: readonly Row[] = [];
  /** The frame is of an earlier state. */
  #isStale = true;
  #timer: NodeJS.Timeout | undefined;
  /** By the monotonic clock. */
  #shownAt = 0;
  #blank: Frame | null = null;

  /** @param draw the frame of the present state */
  constructor(draw: () => Frame) {
    this.#draw = draw;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** The frame to show; the same object until something has changed. */
  readonly getFrame = (): Frame => {
    if (!this.#isStale) return this.#frame;
    this.#isStale = false;
    if (this.#blank !== null) {
      this.#frame = this.#blank;
      return this.#frame;
    }
    const frame = this.#draw();
    const before = this.#frame.rows;
    // Rows that did not change stay the same objects, so that nobody draws them again.
    const rows = frame.rows.map((row, index) => {
      const was = before[index];
      return was !== undefined && sameRow(row, was) ? was : row;
    });
    this.#frame = { ...frame, rows };
    return this.#frame;
  };

  /** The rows above the foot, and blank ones in its place; the same array until one of them has changed. */
  readonly getBody = (): readonly Row[] => {
    const { rows, foot } = this.getFrame();
    const before = this.#body;
    const body = rows.map((row, index) => (index < foot ? row : BLANK_ROW));
    const isSame = body.length === before.length && body.every((row, index) => row === before[index]);
    if (!isSame) this.#body = body;
    return this.#body;
  };

  /** Shows at once what has changed. */
  now(): void {
    this.stop();
    this.#shownAt = performance.now();
    this.#isStale = true;
    for (const listener of this.#listeners) listener();
  }

  soon(): void {
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

  /** What was to be shown soon is not. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
