import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { type Line, rowsOf, shorten, windowOf, wrapText } from '../../../src/client/tui/lines.ts';
import { Random } from '../../protocol/random.ts';

const NOON = new Date(2026, 0, 2, 12, 5).getTime();

function line(part: Partial<Line>): Line {
  return { id: 1, at: NOON, kind: 'incoming', who: 'bob', text: '', fate: '', ...part };
}

function drawn(part: Partial<Line>, columns: number): string[] {
  return rowsOf(line(part), columns).map((row) => row.time + row.label + row.text + row.fate);
}

describe('wrapping', () => {
  test.each<[string, number, string[]]>([
    ['', 10, ['']],
    ['short', 10, ['short']],
    ['one two three', 7, ['one two', 'three']],
    ['one two three', 8, ['one two', 'three']],
    ['abcdefghij', 4, ['abcd', 'efgh', 'ij']],
    ['a abcdefghij', 4, ['a ab', 'cdef', 'ghij']],
    ['one\ntwo', 10, ['one', 'two']],
    ['one\n\ntwo', 10, ['one', '', 'two']],
    ['  indented', 20, ['  indented']],
    ['漢字漢字', 5, ['漢字', '漢字']],
    ['ab 👩‍👩‍👧👩‍👩‍👧', 4, ['ab', '👩‍👩‍👧👩‍👩‍👧']],
  ])('%j in %i columns', (text, columns, rows) => expect(wrapText(text, columns, columns)).toEqual(rows));

  test('the first row may be narrower', () => {
    expect(wrapText('one two three', 3, 9)).toEqual(['one', 'two three']);
  });

  test('no row is too wide, and no word is lost', () => {
    const random = new Random(11);
    for (let round = 0; round < 500; round++) {
      const text = random.text(40).replace(/[\p{Cc}\p{Cf}\u2028]/gu, '');
      const columns = 2 + random.below(30);
      const rows = wrapText(text, columns, columns);
      for (const row of rows)
        expect(stringWidth(row), JSON.stringify({ text, columns })).toBeLessThanOrEqual(columns);
      expect(rows.join('').replace(/\s/gu, '')).toBe(text.replace(/\s/gu, ''));
    }
  });
});

describe('rows of a line', () => {
  test('time, sender and text stand in columns of their own', () => {
    expect(drawn({ text: 'are we still on for lunch?' }, 30)).toEqual([
      '12:05 bob: are we still on for',
      '      lunch?',
    ]);
  });

  test('nothing in a body can stand where time and sender stand', () => {
    expect(drawn({ text: 'hi\n12:06 carol: forged' }, 60)).toEqual([
      '12:05 bob: hi',
      '      12:06 carol: forged',
    ]);
  });

  test('without a time the columns stay', () => {
    expect(drawn({ at: null, text: 'hi' }, 40)).toEqual(['      bob: hi']);
  });

  test('what became of a message stands behind it, or below', () => {
    expect(drawn({ kind: 'outgoing', text: 'hi', fate: '✓ queued' }, 40)).toEqual([
      '12:05 me → bob: hi  ✓ queued',
    ]);
    expect(drawn({ kind: 'outgoing', text: 'hi there, you', fate: '✓ queued' }, 30)).toEqual([
      '12:05 me → bob: hi there, you',
      '      ✓ queued',
    ]);
  });

  test('a long name leaves room for the text on the next row', () => {
    expect(drawn({ who: 'a'.repeat(32), text: 'hello you' }, 44)).toEqual([
      `12:05 ${'a'.repeat(32)}: `,
      '      hello you',
    ]);
  });

  test('no row is wider than the terminal, whatever is in it', () => {
    const random = new Random(5);
    for (let round = 0; round < 500; round++) {
      const columns = 20 + random.below(80);
      const text = random.text(40).replace(/[\p{Cc}\p{Cf}\u2028]/gu, '');
      const kind = random.pick(['incoming', 'outgoing', 'info', 'error'] as const);
      const part = { kind, text, who: random.username(), fate: random.pick(['', '✓ delivered']) };
      for (const row of drawn(part, columns)) expect(stringWidth(row)).toBeLessThanOrEqual(columns);
    }
  });
});

describe('the window', () => {
  const lines = Array.from({ length: 50 }, (_, index) => line({ id: index, text: `line ${index}` }));
  const texts = (below: number, height = 3) => windowOf(lines, 40, height, below).rows.map((row) => row.text);

  test('shows the newest at the bottom', () => expect(texts(0)).toEqual(['line 47', 'line 48', 'line 49']));
  test('or further up', () => expect(texts(10)).toEqual(['line 37', 'line 38', 'line 39']));
  test('and not beyond the oldest', () => {
    expect(windowOf(lines, 40, 3, 1_000).below).toBe(47);
    expect(texts(1_000)).toEqual(['line 0', 'line 1', 'line 2']);
  });
  test('a few lines do not fill it', () =>
    expect(windowOf(lines.slice(0, 2), 40, 5, 9)).toMatchObject({ below: 0 }));

  test('only what is in sight is laid out', () => {
    const far = line({ text: 'x' });
    // Reading its text is what laying out begins with.
    Object.defineProperty(far, 'text', {
      get: () => {
        throw new Error('laid out');
      },
    });
    expect(windowOf([far, ...lines], 40, 10, 5).rows).toHaveLength(10);
    expect(() => windowOf([far, ...lines], 40, 10, 45)).toThrow('laid out');
  });
});

test('shortening keeps to the columns', () => {
  expect(shorten('alice', 5)).toBe('alice');
  expect(shorten('alice', 4)).toBe('ali…');
  expect(shorten('漢字漢字', 5)).toBe('漢字…');
  expect(shorten('alice', 0)).toBe('');
});
