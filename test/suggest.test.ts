import { expect, test } from 'vitest';
import { suggest } from '../src/util/suggest.ts';

const WORDS = ['send', 'status', 'search', 'listen', 'list', 'delete'];

test.each([
  ['snd', 'send'],
  ['sned', 'send'],
  ['lsit', 'list'],
  ['STATUS', 'status'],
  ['liste', 'listen'],
  ['stat', 'status'],
  ['delet', 'delete'],
  ['remove', null],
  ['x', null],
  ['', null],
])('%s probably means %s', (written, meant) => {
  expect(suggest(written, WORDS)).toBe(meant);
});

test('a word of a megabyte is no slip of any', () => {
  expect(suggest(`list${'x'.repeat(1_000_000)}`, WORDS)).toBeNull();
});
