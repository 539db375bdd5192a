import { graphemesIn } from '../segmenter.ts';
import { cells } from './cells.ts';

/** Breaks text into rows: at line breaks, at spaces, and within words that are wider than a row. */
export function wrapText(text: string, firstColumns: number, columns: number): string[] {
  const rows: string[] = [];
  for (const paragraph of text.split('\n')) {
    rows.push(...wrapParagraph(paragraph, rows.length === 0 ? firstColumns : columns, columns));
  }
  return rows;
}

/** Rows of a text of ours, wrapped where they are too wide; what goes on below is moved in. */
export function wrapRows(rows: readonly string[], columns: number): string[] {
  const room = Math.max(1, columns - HANGING.length);
  return rows.flatMap((row) => {
    if (cells(row) <= columns) return [row];
    // What stands in a second column goes under the first one, and not around the gap.
    const [, left = row, right] = /^(\S.*?) {2,}(\S.*)$/.exec(row) ?? [];
    const [first = '', ...rest] = wrapText(left, columns, room);
    const under = right === undefined ? rest : [...rest, ...wrapText(right, room, room)];
    return [first, ...under.map((text) => HANGING + text)];
  });
}

/** In front of what goes on. */
const HANGING = '    ';

function wrapParagraph(paragraph: string, firstColumns: number, columns: number): string[] {
  const rows: string[] = [];
  let room = firstColumns;
  let row = '';
  let width = 0;
  const next = () => {
    rows.push(row.trimEnd());
    row = '';
    width = 0;
    room = columns;
  };
  for (const word of paragraph.match(/\s+|\S+/gu) ?? []) {
    const wordWidth = cells(word);
    if (width + wordWidth <= room) {
      row += word;
      width += wordWidth;
      continue;
    }
    if (/^\s/u.test(word)) {
      // Blanks that do not fit are what the row is broken at.
      next();
      continue;
    }
    if (width > 0 && wordWidth <= columns) next();
    for (const piece of wordWidth <= room ? [word] : pieces(word)) {
      const pieceWidth = piece === word ? wordWidth : cells(piece);
      if (width > 0 && width + pieceWidth > room) next();
      row += piece;
      width += pieceWidth;
    }
  }
  rows.push(row.trimEnd());
  return rows;
}

function pieces(word: string): string[] {
  return Array.from(graphemesIn(word), (part) => part.segment);
}
