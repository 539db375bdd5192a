/* Rows with roles in, what the terminal is told out. */
import { describe, expect, test } from 'vitest';
import { type Looks, painted } from '../../../src/terminal/tui/paint.ts';
import { type Row, span } from '../../../src/terminal/tui/rows.ts';
import { themeFor } from '../../../src/terminal/tui/theme.ts';

const looksOf = (colorDepth: number): Looks => ({
  theme: themeFor('dark', {}, colorDepth),
  signs: 'unicode',
  links: true,
  colorDepth,
});

describe('a row', () => {
  test.each([
    [1, '\u001b[1mno\u001b[0m'],
    [4, '\u001b[1;91mno\u001b[0m'],
    [8, '\u001b[1;38;5;210mno\u001b[0m'],
    [24, '\u001b[1;38;2;255;102;102mno\u001b[0m'],
  ])('has the colours that the terminal has: %d bits', (colorDepth, text) => {
    expect(painted([span('no', 'error')], looksOf(colorDepth))).toBe(text);
  });

  test('has greys of their own where there are 256 colours', () => {
    expect(painted([span('-', 'dim')], looksOf(8))).toBe('\u001b[38;5;247m-\u001b[0m');
  });

  test('says nothing of what looks like everything else', () => {
    expect(painted([span('a'), span('', 'error'), span('b')], looksOf(8))).toBe('ab');
  });

  test('has its links', () => {
    const row: Row = [{ text: 'here', role: 'text', link: 'http://a.example/' }];
    const text = painted(row, looksOf(8));
    expect(text).toContain(';http://a.example/\u001b\\here\u001b]8;;\u001b\\');
  });
});
