import { graphemesIn } from '../segmenter.ts';
import { graphemeCells } from './cells.ts';

/** A text as the characters that a person sees, and the cells of the terminal that each takes. */
export interface Graphemes {
  readonly text: string;
  /** Where each begins, as an index into `text`; one entry more than there are graphemes, which is the text's end. */
  readonly starts: Uint32Array;
  /** Cells of each; a line break takes none. */
  readonly widths: Uint16Array;
}

/**
 * A text of so many UTF-16 units is remembered, so that the next key press need not look through all of it again. No
 * password is as long: none stays here.
 */
const REMEMBERED_UNITS = 256;
/** How much is given to the segmenter at once where only the surroundings of an edit are looked at. */
const WINDOW_UNITS = 32;

/** Only a pile of marks on one character is as wide; it is cut wherever it is shown. */
const MAX_WIDTH = 0xffff;

const PLAIN = /^[\n\u0020-\u007e]*$/;

const NONE: Graphemes = { text: '', starts: new Uint32Array(1), widths: new Uint16Array(0) };
let last = NONE;

/** Takes a time that grows with what differs from the text asked for before, not with the text. */
export function graphemesOf(text: string): Graphemes {
  if (text === last.text) return last;
  if (text.length < REMEMBERED_UNITS) return PLAIN.test(text) ? plain(text) : changed(NONE, text);
  last = changed(last, text);
  return last;
}

/** Where the grapheme begins that ends at `index`, or that `index` is within; 0 at the start of the text. */
export function boundaryBefore(text: string, index: number): number {
  const { starts } = graphemesOf(text);
  return starts[indexOf(starts, index - 1)] ?? 0;
}

/** Where the grapheme ends that begins at `index`, or that `index` is within; the text's end if there is none. */
export function boundaryAfter(text: string, index: number): number {
  const { starts } = graphemesOf(text);
  return starts[indexOf(starts, index) + 1] ?? text.length;
}

/** `index`, or if that is within a grapheme, where that grapheme ends. */
export function boundaryAt(text: string, index: number): number {
  return index <= 0 ? 0 : boundaryAfter(text, index - 1);
}

/** Which grapheme a place in the text belongs to: the last of `starts` that is not behind it. */
export function indexOf(starts: Uint32Array, place: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

function plain(text: string): Graphemes {
  const starts = Uint32Array.from({ length: text.length + 1 }, (_, index) => index);
  const widths = new Uint16Array(text.length).fill(1);
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) widths[at] = 0;
  return { text, starts, widths };
}

/**
 * The graphemes of `text`, those of `old` taken where nothing changed. Whether two characters belong together depends
 * on what stands before them in the same grapheme, or run of flags, and on the first character behind: so a known
 * boundary before the change stays one, and from a boundary on the same text falls into the same graphemes.
 */
function changed(old: Graphemes, text: string): Graphemes {
  const shift = text.length - old.text.length;
  const same = commonStart(old.text, text);
  const sameEnd = text.length - commonEnd(old.text, text, same);
  // Two units before the change, since the one before may be half of a character.
  const kept = indexOf(old.starts, Math.max(0, same - 2));
  const starts: number[] = [];
  const widths: number[] = [];
  let rest = old.starts.length - 1;
  let at = old.starts[kept] ?? 0;
  for (const part of partsFrom(text, at, old === NONE ? text.length : WINDOW_UNITS)) {
    if (at >= sameEnd) {
      const known = indexOf(old.starts, at - shift);
      if (old.starts[known] === at - shift) {
        rest = known;
        break;
      }
    }
    starts.push(at);
    widths.push(Math.min(graphemeCells(part), MAX_WIDTH));
    at += part.length;
  }
  const restStarts = old.starts.subarray(rest);
  const allStarts = new Uint32Array(kept + starts.length + restStarts.length);
  allStarts.set(old.starts.subarray(0, kept));
  allStarts.set(starts, kept);
  for (let index = 0, to = kept + starts.length; index < restStarts.length; index++, to++) {
    allStarts[to] = (restStarts[index] ?? 0) + shift;
  }
  const allWidths = new Uint16Array(allStarts.length - 1);
  allWidths.set(old.widths.subarray(0, kept));
  allWidths.set(widths, kept);
  allWidths.set(old.widths.subarray(rest), kept + widths.length);
  return { text, starts: allStarts, widths: allWidths };
}

/** The graphemes of a text from a boundary on, without looking at more of it than is asked for. */
function* partsFrom(text: string, from: number, window: number): Generator<string, void> {
  let at = from;
  let units = window;
  while (at < text.length) {
    // Half a character at the end would seem to be one that what stands before it does not join.
    const piece = text.slice(at, at + units + (isHalf(text.charCodeAt(at + units - 1)) ? 1 : 0));
    const isLast = at + piece.length === text.length;
    const began = at;
    for (const { segment, index } of graphemesIn(piece)) {
      // The last one may go on behind the window.
      if (!isLast && index + segment.length === piece.length) break;
      at += segment.length;
      yield segment;
    }
    units = at === began ? units * 2 : window;
  }
}

/** Whether a unit is the first one of two that make a character. */
function isHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function commonStart(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let at = 0;
  while (at < most && one.charCodeAt(at) === other.charCodeAt(at)) at += 1;
  return at;
}

/** How many units the ends have in common, those of the common start not counted again. */
function commonEnd(one: string, other: string, start: number): number {
  const most = Math.min(one.length, other.length) - start;
  let count = 0;
  while (
    count < most &&
    one.charCodeAt(one.length - 1 - count) === other.charCodeAt(other.length - 1 - count)
  ) {
    count += 1;
  }
  return count;
}
