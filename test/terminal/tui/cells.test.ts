import { describe, expect, test } from 'vitest';
import { cells, toWidth as fitted, shorten, unjoined } from '../../../src/terminal/tui/cells.ts';
import { Random } from '../../protocol/random.ts';
import { sized } from '../../size.ts';

const FAMILY = '👩‍👩‍👧';

describe('shorten', () => {
  test.each<[string, number, string]>([
    ['bob', 3, 'bob'],
    ['bob', 9, 'bob'],
    ['carol', 4, 'car…'],
    ['carol', 1, '…'],
    ['carol', 0, ''],
    ['carol', -3, ''],
    ['', 0, ''],
    ['漢字漢字', 8, '漢字漢字'],
    ['漢字漢字', 7, '漢字漢…'],
    ['漢字漢字', 6, '漢字…'],
    ['漢字', 1, '…'],
    [`${FAMILY}${FAMILY}`, 4, `${FAMILY}${FAMILY}`],
    [`${FAMILY}${FAMILY}`, 3, `${FAMILY}…`],
    [`${FAMILY}x`, 2, '…'],
    ['🇨🇿🇸🇰', 3, '🇨🇿…'],
    ['e\u0301e\u0301e\u0301', 3, 'e\u0301e\u0301e\u0301'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['שלום', 3, 'של…'],
  ])('%j in %i', (text, columns, shown) => expect(shorten(text, columns)).toBe(shown));
});

describe('fit', () => {
  test.each<[string, number, string]>([
    ['bob', 5, 'bob  '],
    ['bob', 3, 'bob'],
    ['carol', 4, 'car…'],
    ['漢字漢', 5, '漢字…'],
    ['漢字漢', 4, '漢… '],
    ['', 2, '  '],
    ['bob', 0, ''],
    ['bob', -1, ''],
    ['bob', 4.5, 'bob '],
  ])('%j in %d', (text, columns, shown) => expect(fitted(text, columns)).toBe(shown));
});

test('whatever it is, it takes the cells that it may', () => {
  const seed = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const pieces = [
    'a',
    ' ',
    '漢',
    FAMILY,
    '🇨🇿',
    '👍🏽',
    'e\u0301',
    '❤\ufe0f',
    'กำ',
    'क्षि',
    'ﷺ',
    '\u0301',
    '\u200d',
    '🏽',
  ];
  for (let round = 0; round < sized(600, 2_000); round++) {
    const random = new Random(seed + round);
    const text = Array.from({ length: random.below(12) }, () => random.pick(pieces)).join('');
    const columns = random.below(14);
    const context = `seed ${seed + round}: ${JSON.stringify(text)} in ${columns}`;
    const cut = shorten(text, columns);
    expect(cells(cut), context).toBeLessThanOrEqual(columns);
    if (cells(text) <= columns && columns > 0) expect(cut, context).toBe(text);
    else expect(text.startsWith(cut.replace(/…$/u, '')), context).toBe(true);
    expect(cells(fitted(text, columns)), context).toBe(columns);
  }
});

test('what cannot fit costs nothing', () => {
  const began = performance.now();
  const huge = '漢'.repeat(1_000_000);
  for (let count = 0; count < 50; count++) shorten(huge, 20);
  expect(performance.now() - began).toBeLessThan(5_000);
});

test.each<[string, string]>([
  ['deploy-bot', 'deploy-bot'],
  ['Jürgen é', 'Jürgen é'],
  ['e\u0301\u0302', 'é\u0302'],
  ['漢字', '漢字'],
  [FAMILY, '👩'],
  ['👍🏽!', '👍!'],
  ['❤\ufe0f', '❤'],
  ['1\ufe0f\u20e3', '1'],
  ['🇩🇪🇫🇷', 'DEFR'],
  ['ก็', 'ก็'],
])('%j with nothing joined is %j', (text, expected) => expect(unjoined(text)).toBe(expected));
