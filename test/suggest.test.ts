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
