import { describe, expect, test } from 'vitest';
import { type BareSaid, bareLines } from '../../../src/terminal/tui/bare-lines.ts';

function said(text: string, above = 0): BareSaid {
  return { head: '12:00 bob', text, above };
}

/** Rows that a terminal of so many columns makes of them. */
function rowsOf(lines: readonly { head: string; text: string }[], columns: number): number {
  return lines.reduce(
    (sum, { head, text }) => sum + Math.max(1, Math.ceil(`${head} ${text}`.trim().length / columns)),
    0,
  );
}

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

  test.each(['x', 'ü', '漢', '👨‍👩‍👧', '\t', ' ', '\n', '`\n'])(
    'never more than the screen of %j without end',
    (piece) => {
      for (const [columns, rows] of [
        [80, 23],
        [20, 5],
        [1, 1],
      ] as const) {
        for (const above of [0, 0.3, 0.99]) {
          const began = performance.now();
          const lines = bareLines([said('before'), said(piece.repeat(50_000), above)], columns, rows);
          expect(lines.length).toBeGreaterThan(0);
          expect(lines.length).toBeLessThanOrEqual(rows);
          const most = (columns * rows * 2 + 20) * piece.length;
          expect(lines.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(most);
          expect(performance.now() - began).toBeLessThan(1_500);
        }
      }
    },
  );
});
