import { expect, test } from 'vitest';
import { highlighter } from '../../../src/terminal/notify/highlight.ts';

test.each([
  ['Ann', ['ann'], true],
  ['hey @ANN, are you there?', ['ann'], true],
  ['planning', ['ann'], false],
  ['ann_b', ['ann'], false],
  ['ann2', ['ann'], false],
  ['die Störung', ['störung'], true],
  ['die Sto\u0308rung', ['störung'], true],
  ['STÖRUNG!', ['störung'], true],
  ['db-3: full', ['db-3'], true],
  ['db-31', ['db-3'], false],
  ['what (is) c++?', ['c++'], true],
  ['a.b', ['a*b'], false],
  ['two words here', ['two words'], true],
  ['nothing', [], false],
  ['nothing', ['', ' '], false],
  ['日本 東京', ['東京'], true],
])('%j with %j: %s', (text, words, is) => expect(highlighter(words)(text)).toBe(is));

test('a long text takes no time', () => {
  const words = Array.from({ length: 50 }, (_, index) => `${'a'.repeat(60)}${index}`);
  const begun = performance.now();
  expect(highlighter(words)('a'.repeat(1_000_000))).toBe(false);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
