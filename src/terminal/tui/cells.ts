import stringWidth from 'string-width';
import { graphemesIn } from '../segmenter.ts';

/*
 * Terminals count in cells: most characters take one, CJK and emoji two, marks none. The texts here are of one line
 * and sanitised: an escape sequence has no width that anybody could know, and a tab has one only at its place.
 */

/** Texts are drawn somewhere in a row, where a terminal's own stops would depend on what stands in front. */
const TAB_COLUMNS = 4;

/** Widths of so many graphemes are remembered; all are forgotten when there is one more. */
const REMEMBERED_WIDTHS = 4_096;
const remembered = new Map<string, number>();

/** How many cells a tab takes in a column of a text. */
export function tabCells(column: number): number {
  return TAB_COLUMNS - (column % TAB_COLUMNS);
}

/** A text of lines with blanks for its tabs, up to the next stop. */
export function withoutTabs(text: string): string {
  if (!text.includes('\t')) return text;
  return text
    .split('\n')
    .map((line) => {
      const [first = '', ...rest] = line.split('\t');
      return rest.reduce((row, part) => row + ' '.repeat(tabCells(cells(row))) + part, first);
    })
    .join('\n');
}

/** How many cells a text takes. */
export function cells(text: string): number {
  return stringWidth(text);
}

/** How many cells one grapheme takes. To measure one costs a segmenter of its own: hence they are remembered. */
export function graphemeCells(grapheme: string): number {
  const known = remembered.get(grapheme);
  if (known !== undefined) return known;
  const width = stringWidth(grapheme);
  // A longer one is a pile of marks, which does not come again.
  if (grapheme.length > 16) return width;
  if (remembered.size >= REMEMBERED_WIDTHS) remembered.clear();
  remembered.set(grapheme, width);
  return width;
}

/** Cuts text to at most `columns` cells, with an ellipsis where something is missing. */
export function shorten(text: string, columns: number): string {
  if (columns < 1) return '';
  if (text.length <= columns && cells(text) <= columns) return text;
  // By graphemes, and no further than needed: what cannot fit may be a megabyte.
  let width = 0;
  let end = 0;
  for (const { segment, index } of graphemesIn(text)) {
    width += graphemeCells(segment);
    if (width > columns) return `${text.slice(0, end)}…`;
    if (width < columns) end = index + segment.length;
  }
  return text;
}

/** The text in exactly `columns` cells: cut as `shorten` does it, or filled up with blanks. */
export function toWidth(text: string, columns: number): string {
  const cut = shorten(text, columns);
  return cut + ' '.repeat(Math.max(0, Math.floor(columns) - cells(cut)));
}

/**
 * The text with one code point and its marks of each character, as it stands where something has to be straight behind
 * it: about what is joined (families, flags, keycaps, conjuncts) terminals disagree how wide it is.
 */
export function unjoined(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain text needs no second look
  if (/^[\u0000-\u007f]*$/.test(text)) return text;
  return Array.from(graphemesIn(text.normalize('NFC')), ({ segment }) => {
    const [first = '', ...rest] = segment;
    if (REGIONAL.test(first)) return [first, ...rest].map(letterOf).join('');
    return first + rest.filter((part) => MARK.test(part)).join('');
  }).join('');
}

const REGIONAL = /^\p{Regional_Indicator}$/u;
/** Of no width anywhere, unlike the selectors that make a character an emoji. */
const MARK = /^(?![\ufe00-\ufe0f])\p{Mn}$/u;

/** `D` for the D of a flag. */
function letterOf(part: string): string {
  return REGIONAL.test(part) ? String.fromCharCode((part.codePointAt(0) ?? 0) - 0x1f1e6 + 0x41) : '';
}
