import { describe, expect, test } from 'vitest';
import { cells } from '../../../src/terminal/tui/cells.ts';
import {
  boundaryAfter,
  boundaryAt,
  boundaryBefore,
  graphemesOf,
} from '../../../src/terminal/tui/graphemes.ts';
import { type InputView, moveByRows, viewInput } from '../../../src/terminal/tui/input-view.ts';
import { Random } from '../../protocol/random.ts';
import { sized } from '../../size.ts';

const SEED = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
const FAMILY = '👩‍👩‍👧';

/** The text and cursor of a picture with a bar where the cursor is. */
function written(picture: string): { text: string; cursor: number } {
  const cursor = picture.indexOf('|');
  return { text: picture.slice(0, cursor) + picture.slice(cursor + 1), cursor };
}

/** Its rows, those hidden as a number, and the cursor's column and row. */
function pictureOf({ rows, cursor, hiddenAbove, hiddenBelow }: InputView): string {
  const hidden = (count: number) => (count > 0 ? [`(${count})`] : []);
  return [...hidden(hiddenAbove), ...rows, ...hidden(hiddenBelow), `${cursor.column},${cursor.row}`].join(
    '/',
  );
}

describe('rows', () => {
  test.each<[string, string, number, string]>([
    ['nothing', '|', 5, '/0,0'],
    ['what fits', 'hey|', 5, 'hey/3,0'],
    ['a full row, and one for the cursor', 'abcde|', 5, 'abcde//0,1'],
    ['which is there wherever the cursor is', '|abcde', 5, 'abcde//0,0'],
    ['a broken line', 'abcdefg|', 5, 'abcde/fg/2,1'],
    ['the cursor at the break', 'abcde|fg', 5, 'abcde/fg/0,1'],
    ['the cursor before the break', 'abcd|efg', 5, 'abcde/fg/4,0'],
    ['lines', 'ab\ncd|', 5, 'ab/cd/2,1'],
    ['the cursor before a line break', 'ab|\ncd', 5, 'ab/cd/2,0'],
    ['the cursor behind a line break', 'ab\n|cd', 5, 'ab/cd/0,1'],
    ['a line break at the end', 'ab\n|', 5, 'ab//0,1'],
    ['only line breaks', '\n|\n', 5, '///0,1'],
    ['a full row before a line break', 'abcde|\nf', 5, 'abcde//f/0,1'],
    ['a blank where the line breaks', 'abcd ef|', 5, 'abcd /ef/2,1'],
    ['a word that does not fit', 'ab cdef|', 5, 'ab /cdef/4,1'],
    ['a word that is longer than a row', 'ab cdefgh|', 5, 'ab /cdefg/h/1,2'],
    ['blanks at the end of a row', 'abcd   ef|', 5, 'abcd /  ef/4,1'],
    ['the cursor where a row is broken between words', 'ab |cdef', 5, 'ab /cdef/0,1'],
    ['words behind wide characters', '漢字 ab|', 6, '漢字 /ab/2,1'],
    ['wide characters behind a word', 'ab漢字|', 5, 'ab漢/字/2,1'],
    ['a tab reaches to the next stop', 'a\tb|', 9, 'a   b/5,0'],
    ['a tab at a stop', 'abcd\te|', 12, 'abcd    e/9,0'],
    ['the cursor on a tab', 'a|\tb', 9, 'a   b/1,0'],
    ['a tab that does not fit', 'abcd\te|', 5, 'abcd/    e//0,2'],
    ['tabs at the start of lines', '\ta\n\tb|', 9, '    a/    b/5,1'],
    ['wide characters', '漢字漢字|', 5, '漢字/漢字/4,1'],
    ['a wide one that does not fit', 'abcd漢|', 5, 'abcd/漢/2,1'],
    ['an emoji', `abcd${FAMILY}|`, 5, `abcd/${FAMILY}/2,1`],
    ['flags', '🇨🇿🇸🇰🇵🇱|', 5, '🇨🇿🇸🇰/🇵🇱/2,1'],
    ['marks take no room', 'e\u0301e\u0301|e\u0301', 3, 'e\u0301e\u0301e\u0301//2,0'],
    ['an emoji by its selector', '❤\ufe0f❤\ufe0f|', 3, '❤\ufe0f/❤\ufe0f/2,1'],
    ['from right to left it goes by order', 'שלום|', 3, 'שלו/ם/1,1'],
    ['Devanagari by its clusters', 'नमस्ते|', 9, `नमस्ते/${cells('नमस्ते')},0`],
    ['a mark alone', '\u0301|', 5, '\u0301/0,0'],
  ])('%s', (_name, picture, columns, rows) => {
    expect(pictureOf(viewInput(written(picture), columns, 9))).toBe(rows);
  });

  test('a character wider than a row is shown as cut, in a row of its own', () => {
    const pile = `ก${'ำ'.repeat(20)}`;
    expect(pictureOf(viewInput(written(`a${pile}b|`), 8, 9))).toBe('a/…/b/1,2');
    const { cursor } = viewInput(written(`${pile}|`), 8, 9);
    expect(cursor).toEqual({ column: 0, row: 1 });
  });

  test.each([
    [1, 5],
    [0, 5],
    [-3, 5],
    [9, 0],
  ])('without room there is nothing: %i columns, %i rows', (columns, maxRows) => {
    expect(pictureOf(viewInput(written('漢字\nab|'), columns, maxRows))).toBe('/0,0');
  });
});

describe('more rows than there is room for', () => {
  const lines = '1\n2\n3\n4\n5\n6\n7';

  test.each<[string, number, string]>([
    ['at the end', 13, '(4)/5/6/7/1,2'],
    ['at the start', 0, '1/2/3/(4)/0,0'],
    ['in the middle', 6, '(2)/3/4/5/(2)/0,1'],
    ['one above the end', 10, '(4)/5/6/7/0,1'],
  ])('%s', (_name, cursor, rows) => {
    expect(pictureOf(viewInput({ text: lines, cursor }, 5, 3))).toBe(rows);
  });

  test('one row has the cursor in it', () => {
    for (let cursor = 0; cursor <= lines.length; cursor += 2) {
      const view = viewInput({ text: lines, cursor }, 5, 1);
      expect(view.rows).toEqual([`${cursor / 2 + 1}`]);
      expect(view.hiddenAbove + 1 + view.hiddenBelow).toBe(7);
    }
  });
});

describe('up and down', () => {
  test.each<[string, string, number, number, number | null, string | null]>([
    ['in the same column', 'abcd\nef|gh', 9, -1, null, 'ab|cd\nefgh'],
    ['down', 'ab|cd\nefgh', 9, 1, null, 'abcd\nef|gh'],
    ['to a shorter row', 'a\nefgh|', 9, -1, null, 'a|\nefgh'],
    ['to the column one came from', 'a|\nefgh', 9, 1, 3, 'a\nefg|h'],
    ['within a broken line', 'abcdefg|', 5, -1, null, 'ab|cdefg'],
    ['not onto the break', 'abcdefghij\nklmn|', 5, -1, 9, 'abcdefghij|\nklmn'],
    ['but in front of it', 'abcdefgh|\n', 5, -1, 9, 'abcd|efgh\n'],
    ['into a wide character: before it', '漢字\nabc|', 9, -1, null, '漢|字\nabc'],
    ['above the first row', 'a|b', 9, -1, null, null],
    ['below the last row', 'a|b', 9, 1, null, null],
  ])('%s', (_name, picture, columns, by, goal, to) => {
    const moved = moveByRows(written(picture), columns, by, goal);
    expect(moved?.cursor ?? null).toBe(to === null ? null : to.indexOf('|'));
  });
});

const PIECES = [
  'a',
  'b',
  ' ',
  'word ',
  '\n',
  '漢',
  FAMILY,
  '👍🏽',
  '👩',
  '\u200d',
  '🏽',
  '🇨',
  '🇿',
  'e\u0301',
  '\u0301',
].concat(['❤\ufe0f', '\ufe0e', 'क्षि', '\u094d', 'ष', 'กำ', 'שָׁ', 'م', '\u0600', '각', 'ᄀ', 'ᅡ', '🏴', 'ﷺ']);
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function randomText(random: Random, pieces: number): string {
  return Array.from({ length: random.below(pieces) }, () => random.pick(PIECES)).join('');
}

test('whatever is written: each character is shown once, in order, and the cursor where it is', () => {
  for (let round = 0; round < sized(80, 800); round++) {
    const random = new Random(SEED + round);
    const text = randomText(random, 40);
    const places = [...Array.from(segmenter.segment(text), ({ index }) => index), text.length];
    const cursor = random.pick(places);
    const columns = 4 + random.below(20);
    const maxRows = 1 + random.below(6);
    // A pile that is wider than a row is shown as cut.
    if (graphemesOf(text).widths.some((width) => width > columns)) continue;
    const whole = viewInput({ text, cursor }, columns, 1_000);
    const context = `seed ${SEED + round}: ${JSON.stringify({ text, cursor, columns, maxRows })}`;
    expect(whole.hiddenAbove + whole.hiddenBelow, context).toBe(0);
    expect(whole.rows.join(''), context).toBe(text.replaceAll('\n', ''));
    for (const row of whole.rows) expect(cells(row), context).toBeLessThanOrEqual(columns);
    // What is before the cursor on the screen is what is before it in the text.
    const row = whole.rows[whole.cursor.row] ?? '';
    const before = text.slice(0, cursor).replaceAll('\n', '');
    const above = whole.rows.slice(0, whole.cursor.row).join('');
    expect(before.startsWith(above), context).toBe(true);
    expect(row.startsWith(before.slice(above.length)), context).toBe(true);
    expect(cells(before.slice(above.length)), context).toBe(whole.cursor.column);
    expect(whole.cursor.column, context).toBeLessThan(columns);
    const view = viewInput({ text, cursor }, columns, maxRows);
    expect(view.rows.length, context).toBe(Math.min(maxRows, whole.rows.length));
    expect(view.rows, context).toEqual(
      whole.rows.slice(view.hiddenAbove, view.hiddenAbove + view.rows.length),
    );
    expect(view.hiddenAbove + view.rows.length + view.hiddenBelow, context).toBe(whole.rows.length);
    expect(view.cursor.row + view.hiddenAbove, context).toBe(whole.cursor.row);
    expect(view.rows[view.cursor.row], context).toBe(row);
    // A step is of one row, whichever way.
    const by = random.pick([-1, 1]);
    const moved = moveByRows({ text, cursor }, columns, by, null);
    const isThere = whole.cursor.row + by >= 0 && whole.cursor.row + by < whole.rows.length;
    expect(moved !== null, context).toBe(isThere);
    if (moved === null) continue;
    expect(places, context).toContain(moved.cursor);
    const after = viewInput({ text, cursor: moved.cursor }, columns, 1_000);
    expect(after.cursor.row, context).toBe(whole.cursor.row + by);
    expect(after.cursor.column, context).toBeLessThanOrEqual(whole.cursor.column);
  }
});

describe('graphemes', () => {
  test('mended after an edit, they are those of the whole text', () => {
    for (let round = 0; round < sized(4, 25); round++) {
      const random = new Random(SEED + round);
      let text = randomText(random, 400);
      for (let step = 0; step < 40; step++) {
        const from = random.below(text.length + 1);
        const to = from + random.below(random.pick([1, 4, 80]));
        text = (
          text.slice(0, from) +
          randomText(random, random.pick([3, 60])) +
          text.slice(to)
        ).toWellFormed();
        const context = `seed ${SEED + round}, step ${step}: ${JSON.stringify(text)}`;
        const { starts, widths } = graphemesOf(text);
        const whole = Array.from(segmenter.segment(text));
        expect([...starts], context).toEqual([...whole.map(({ index }) => index), text.length]);
        expect([...widths], context).toEqual(whole.map(({ segment }) => cells(segment)));
      }
    }
  });

  test.each([
    ['', [0, 0, 0]],
    ['ab', [0, 2, 1]],
    [`${FAMILY}b`, [0, FAMILY.length, FAMILY.length]],
  ])('boundaries around the second unit of %j', (text, [before, after, at]) => {
    expect([boundaryBefore(text, 1), boundaryAfter(text, 1), boundaryAt(text, 1)]).toEqual([
      before,
      after,
      at,
    ]);
  });
});
