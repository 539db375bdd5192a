import { shorten, tabCells, withoutTabs } from './cells.ts';
import { type Graphemes, graphemesOf, indexOf } from './graphemes.ts';

/** The text that is written, and where the next character goes. */
export interface Written {
  readonly text: string;
  readonly cursor: number;
}

/** What a terminal shows of it. */
export interface InputView {
  /** At least one; none takes more cells than there are columns. */
  readonly rows: readonly string[];
  /** Where the cursor is within `rows`, in cells and rows from the top left. */
  readonly cursor: { readonly column: number; readonly row: number };
  /** Rows that there are above and below those shown. */
  readonly hiddenAbove: number;
  readonly hiddenBelow: number;
}

/**
 * Lays the text out in rows of `columns` cells, and shows `maxRows` of them around the cursor. What stands in front of
 * the text (a prompt, and blanks of the same width on the other rows) is the caller's, and so is not in `columns`.
 * Rows are broken between words where there are any; a character is never divided; the cursor always has a cell of its
 * own, if there are two columns.
 */
export function viewInput({ text, cursor }: Written, columns: number, maxRows: number): InputView {
  if (columns < 2 || maxRows < 1) {
    return { rows: [''], cursor: { column: 0, row: 0 }, hiddenAbove: 0, hiddenBelow: 0 };
  }
  const layout = layOut(text, columns);
  const rowOfCursor = layout.rowAt(cursor);
  // The cursor in the middle: what is above and below it is to be seen, without knowing what was shown before.
  const most = Math.max(0, layout.count - maxRows);
  const first = Math.max(0, Math.min(rowOfCursor - Math.floor(maxRows / 2), most));
  const count = Math.min(maxRows, layout.count);
  return {
    rows: Array.from({ length: count }, (_, index) => {
      const { start, end } = layout.row(first + index);
      const row = withoutTabs(text.slice(start, end));
      // Only a pile of marks on one character is wider than there are columns.
      return layout.columnOf(end, first + index) > columns ? shorten(row, columns) : row;
    }),
    cursor: {
      column: Math.min(layout.columnOf(cursor, rowOfCursor), columns - 1),
      row: rowOfCursor - first,
    },
    hiddenAbove: first,
    hiddenBelow: layout.count - first - count,
  };
}

/**
 * Where the cursor goes by `by` rows up (negative) or down, as near as it can be to the column `goal`; null where there
 * is no such row. The column is given back, so that the next step can strive for it across shorter rows.
 */
export function moveByRows(
  { text, cursor }: Written,
  columns: number,
  by: number,
  goal: number | null,
): { readonly cursor: number; readonly goal: number } | null {
  const layout = layOut(text, columns);
  const from = layout.rowAt(cursor);
  const to = from + by;
  if (to < 0 || to >= layout.count) return null;
  const column = goal ?? layout.columnOf(cursor, from);
  return { cursor: layout.placeAt(to, column), goal: column };
}

/** A text in rows. */
class Layout {
  readonly #graphemes: Graphemes;
  /** For each row where it starts and ends in the text, line break left out. */
  readonly #bounds: readonly number[];

  constructor(graphemes: Graphemes, bounds: readonly number[]) {
    this.#graphemes = graphemes;
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#bounds.length / 2;
  }

  row(index: number): { readonly start: number; readonly end: number } {
    return { start: this.#bounds[2 * index] ?? 0, end: this.#bounds[2 * index + 1] ?? 0 };
  }

  /** The row that a place in the text is on; where a row is broken, the later one. */
  rowAt(place: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.row(middle).start <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Cells between the start of the row and the place. */
  columnOf(place: number, row: number): number {
    const { starts } = this.#graphemes;
    let column = 0;
    for (let at = indexOf(starts, this.row(row).start); (starts[at] ?? place) < place; at++) {
      column += widthAt(this.#graphemes, at, column);
    }
    return column;
  }

  /** The place on a row that is nearest to a column, and not to the right of it. */
  placeAt(row: number, column: number): number {
    const { starts } = this.#graphemes;
    const { start, end } = this.row(row);
    let at = indexOf(starts, start);
    let width = widthAt(this.#graphemes, at, 0);
    while ((starts[at] ?? end) < end && width <= column) {
      at += 1;
      width += widthAt(this.#graphemes, at, width);
    }
    // The end of a broken row is where the next one starts: on this one the cursor stays in front of the last character.
    const isNext = row + 1 < this.count && this.row(row + 1).start === end;
    if (isNext && starts[at] === end && end > start) at -= 1;
    return starts[at] ?? end;
  }
}

/** One key press asks twice: to move by rows, and to show them. */
const laidOut = new WeakMap<Graphemes, { readonly columns: number; readonly layout: Layout }>();

function layOut(text: string, columns: number): Layout {
  const graphemes = graphemesOf(text);
  const known = laidOut.get(graphemes);
  if (known?.columns === columns) return known.layout;
  const layout = new Layout(graphemes, bounds(graphemes, columns));
  laidOut.set(graphemes, { columns, layout });
  return layout;
}

/** Cells of a grapheme that begins in a column; a tab reaches to the next stop. */
function widthAt({ text, starts, widths }: Graphemes, index: number, column: number): number {
  return text.charCodeAt(starts[index] ?? 0) === TAB ? tabCells(column) : (widths[index] ?? 0);
}

const [TAB, LF, SPACE] = [0x09, 0x0a, 0x20];

/** Breaks at line breaks, and where a word does not fit, in front of that or within if it is longer than a row. */
function bounds(graphemes: Graphemes, columns: number): number[] {
  const { text, starts, widths } = graphemes;
  const found: number[] = [];
  let start = 0;
  let width = 0;
  /** Where the row may be broken, the last such place so far, and how wide it is up to there. */
  let breakAt = 0;
  let breakWidth = 0;
  const rowStarts = (at: number) => {
    start = at;
    breakAt = at;
    breakWidth = 0;
  };
  const lineEnds = (end: number) => {
    found.push(start, end);
    // The cursor behind a full row needs a row; one that is always there does not come and go with the cursor.
    if (width >= columns) found.push(end, end);
  };
  for (let index = 0; index < widths.length; index++) {
    const at = starts[index] ?? 0;
    const code = text.charCodeAt(at);
    if (code === LF) {
      lineEnds(at);
      rowStarts(at + 1);
      width = 0;
      continue;
    }
    const isBlank = code === SPACE || code === TAB;
    // Between wide characters there are no blanks, and every place is as good.
    if ((widths[index] ?? 0) > 1) [breakAt, breakWidth] = [at, width];
    // A second time where what was moved to the next row leaves no room there either.
    while (width > 0 && width + widthAt(graphemes, index, width) > columns) {
      const isWithin = breakAt <= start || isBlank;
      const next = isWithin ? at : breakAt;
      width = isWithin ? 0 : width - breakWidth;
      found.push(start, next);
      rowStarts(next);
    }
    width += widthAt(graphemes, index, width);
    if (isBlank) [breakAt, breakWidth] = [starts[index + 1] ?? text.length, width];
  }
  lineEnds(text.length);
  return found;
}
