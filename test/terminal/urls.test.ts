import { expect, test } from 'vitest';
import { findLinks } from '../../src/terminal/urls.ts';
import { growth } from './growth.ts';

test.each([
  ['(http://a.b/c(d))', 'http://a.b/c(d)'],
  ['http://a.b/c_(d).', 'http://a.b/c_(d)'],
  ['{[(http://a.b/)]}!?', 'http://a.b/'],
  ['http://a.b/(c)).).).', 'http://a.b/(c)'],
  ['http://a.b/c(', 'http://a.b/c('],
  ['«http://a.b/c».', 'http://a.b/c'],
])('%s has %s', (text, url) => expect(findLinks(text).map((link) => link.url)).toEqual([url]));

// As long as one may be, so that none is left out unseen.
test.each([')', ')]', ').', '.', '.x', '().'])('the end of an address is found in one go: %j', (end) => {
  const text = (length: number) => `http://x/${end.repeat(Math.floor(length / end.length))} `.repeat(100);
  expect(growth((length) => void findLinks(text(length)), 130, 16)).toBeLessThan(64);
});
