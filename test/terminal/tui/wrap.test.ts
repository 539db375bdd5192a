import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { wrapRows, wrapText } from '../../../src/terminal/tui/wrap.ts';
import { Random } from '../../protocol/random.ts';
import { sized } from '../../size.ts';

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
  ['abc 漢字', 5, ['abc', '漢字']],
])('%j in %i columns', (text, columns, rows) => expect(wrapText(text, columns, columns)).toEqual(rows));

test('the first row may be narrower', () => {
  expect(wrapText('one two three', 3, 9)).toEqual(['one', 'two three']);
});

test('no row is too wide, and no word is lost', () => {
  const seed = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  for (let round = 0; round < sized(200, 500); round++) {
    const random = new Random(seed + round);
    const text = random.text(40).replace(/[\p{Cc}\p{Cf}\u2028]/gu, '');
    const columns = 2 + random.below(30);
    const about = `seed ${seed + round}: ${JSON.stringify({ text, columns })}`;
    const rows = wrapText(text, columns, columns);
    for (const row of rows) expect(stringWidth(row), about).toBeLessThanOrEqual(columns);
    expect(rows.join('').replace(/\s/gu, ''), about).toBe(text.replace(/\s/gu, ''));
  }
});

test('a second column that has no room goes under the first one', () => {
  expect(wrapRows(['/who NAME…       which of them are logged in', 'a  b', 'no column'], 20)).toEqual([
    '/who NAME…',
    '    which of them',
    '    are logged in',
    'a  b',
    'no column',
  ]);
});
