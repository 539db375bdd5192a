import { describe, expect, test } from 'vitest';
import { graphemesIn } from '../../../src/terminal/segmenter.ts';
import { type BareSaid, bareLines } from '../../../src/terminal/tui/bare-lines.ts';
import { graphemeCells } from '../../../src/terminal/tui/cells.ts';
import { growth } from '../growth.ts';

function said(text: string, above = 0): BareSaid {
  return { head: '12:00 bob', text, above };
}

/** Rows that a terminal of so many columns makes of them, as the view writes them. */
function rowsOf(lines: readonly { head: string; text: string }[], columns: number): number {
  return lines.reduce((sum, { head, text }) => {
    const line = head === '' || text === '' ? head + text : `${head} ${text}`;
    let [rows, column] = [1, 0];
    for (const { segment } of graphemesIn(line)) {
      if (segment === '\t') {
        // To the next stop, and never over the edge.
        column = Math.max(column, Math.min(columns - 1, column - (column % 8) + 8));
        continue;
      }
      const width = Math.min(columns, graphemeCells(segment));
      if (column + width > columns) [rows, column] = [rows + 1, 0];
      column += width;
    }
    return sum + rows;
  }, 0);
}

const PIECES = ['x', 'ü', '漢', '👨‍👩‍👧', '\t', ' ', '\n', '`\n', 'x\t', '\tü', '漢\t '];
const SIZES = [
  [80, 23],
  [20, 5],
  [9, 4],
  [3, 2],
  [1, 1],
] as const;

describe('the messages alone', () => {
  test('one line stands beside who said it, several under it as they are', () => {
    expect(bareLines([said('hi'), said('a\n\tb\n  c')], 40, 10)).toEqual([
      { head: '12:00 bob', text: 'hi' },
      { head: '12:00 bob', text: '' },
      { head: '', text: 'a' },
      { head: '', text: '\tb' },
      { head: '', text: '  c' },
    ]);
  });

  test('no line is broken, and of many the newest have room', () => {
    const long = 'x'.repeat(200);
    const lines = bareLines([said(long), said(long), said('last')], 50, 7);
    expect(lines.map(({ text }) => text)).toEqual([long, 'last']);
    expect(rowsOf(lines, 50)).toBe(6);
  });

  test('of one that has room in part its end stands under its name', () => {
    const lines = bareLines([said('1\n2\n3\n4'), said('last')], 50, 4);
    expect(lines.map(({ head, text }) => `${head}|${text}`)).toEqual([
      '12:00 bob|…',
      '|3',
      '|4',
      '12:00 bob|last',
    ]);
  });

  test('of one that is longer than the screen it begins where the window does', () => {
    const text = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
    const start = bareLines([said(text)], 80, 10);
    expect(start.map((line) => line.text)).toEqual(['', ...Array.from({ length: 9 }, (_, i) => `line ${i}`)]);
    const middle = bareLines([said(text, 0.5)], 80, 10);
    expect(middle).toHaveLength(10);
    expect(middle[0]).toEqual({ head: '12:00 bob', text: '…' });
    expect(middle[1]?.text).toMatch(/^line (?:49|50|51)$/);
  });

  test('of one that begins with an empty line that line is shown', () => {
    const text = `\n${Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n')}`;
    const [head, ...lines] = bareLines([said(text)], 80, 10);
    expect(head).toEqual({ head: '12:00 bob', text: '' });
    expect(lines.map((line) => line.text)).toEqual(['', ...Array.from({ length: 8 }, (_, i) => `line ${i}`)]);
  });

  test.each(PIECES)('never more than the screen of %j without end', (piece) => {
    for (const [columns, rows] of SIZES) {
      for (const above of [0, 0.3, 0.99]) {
        for (const text of [
          piece.repeat(5_000),
          `a${piece.repeat(columns * 2)}`,
          `b\n${piece.repeat(columns)}`,
        ]) {
          const lines = bareLines([said('before'), said(text, above)], columns, rows);
          expect(lines.length).toBeGreaterThan(0);
          expect(rowsOf(lines, columns)).toBeLessThanOrEqual(rows);
        }
        const after = bareLines([said(`a\n${piece.repeat(columns)}\nb`), said('x')], columns, rows);
        expect(rowsOf(after, columns)).toBeLessThanOrEqual(rows);
      }
    }
  });

  test.each(PIECES)('%j without end takes no longer than it has to', (piece) => {
    const [few, many] = [piece.repeat(2_500), piece.repeat(20_000)];
    for (const above of [0, 0.99]) {
      const draw = (size: number) => void bareLines([said(size === 1 ? few : many, above)], 80, 23);
      // More than the screen both; for the height and the line breaks all of it is looked at once.
      expect(growth(draw, 1, 8)).toBeLessThan(28);
    }
  });
});
