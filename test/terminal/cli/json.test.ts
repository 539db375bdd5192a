import { expect, test } from 'vitest';
import { isoTime, jsonLine } from '../../../src/terminal/sanitise.ts';

test('a line is one line, and every text comes back as it was', () => {
  const texts = [
    'plain',
    'two\nlines\r\n\t',
    'quote " and \\',
    '\u0000\u001b[2J\u007f\u0080\u009b2J\u009d',
    'bidi \u202e \u2066 \u061c \u200f',
    'lines \u2028 \u2029 \u0085',
    'tags \u{e0001}\u{e0041}',
    'joiner 👩\u200d🚀 and \u200b \ufeff',
    'lone \ud800 half',
    'noncharacter \uffff \u{1fffe}',
    'Grüße 日本 🍜',
  ];
  for (const body of texts) {
    const line = jsonLine({ body });
    expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}]*$/u);
    expect(JSON.parse(line)).toEqual({ body });
  }
});

test('letters stay readable', () => {
  expect(jsonLine({ body: 'Grüße 日本 🍜' })).toBe('{"body":"Grüße 日本 🍜"}');
});

test('what has no value is not there', () => {
  expect(jsonLine({ a: undefined, b: null })).toBe('{"b":null}');
});

test('times are ISO 8601, and what is none is null', () => {
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(isoTime(Number.MAX_SAFE_INTEGER)).toBeNull();
  expect(isoTime(null)).toBeNull();
});
