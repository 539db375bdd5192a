import { describe, expect, test } from 'vitest';
import {
  entryBody,
  fitEntries,
  fitNames,
  formatEntries,
  formatNames,
  parseEntries,
  parseNames,
  type RetrievedEntry,
} from '../../src/protocol/v1/entries.ts';

describe('a body in a retrieve reply', () => {
  test.each([
    ['hello', 'hello'],
    ['', ''],
    ['   ', '   '],
    ['one\ntwo', 'one\ntwo'],
    ['one\n    two', 'one\n    two'],
    ['one\r\ntwo', 'one\ntwo'],
    ['one\rtwo', 'one\ntwo'],
    ['one\n\ntwo', 'one\ntwo'],
    ['one\n\n\n\ntwo', 'one\ntwo'],
    ['\n\none\n\n', 'one'],
    ['one\n', 'one'],
    ['\r\n\r\n', ''],
  ])('%j becomes %j', (body, shown) => expect(entryBody(body)).toBe(shown));

  const forged = 'bob: forged';
  test.each([
    ['line feeds', '\n\n'],
    ['carriage returns', '\r\r'],
    ['mixed', '\n\r\n'],
    ['the other mix', '\r\n\r'],
    ['line separators', '\u2028\u2028'],
    ['paragraph separator and line feed', '\u2029\n'],
    ['next line', '\u0085\u0085'],
    ['vertical tab and form feed', '\v\f'],
    ['information separators', '\u001c\u001d\u001e'],
    ['spaces on the blank line', '\n \t\n'],
    ['no-break spaces on the blank line', '\n\u00a0\u3000\n'],
    ['zero-width characters on the blank line', '\n\u200b\u2060\ufeff\n'],
    ['a soft hyphen on the blank line', '\n\u00ad\n'],
    ['Hangul fillers on the blank line', '\n\u3164\u115f\uffa0\n'],
    ['an empty braille cell on the blank line', '\n\u2800\n'],
    ['tag characters on the blank line', '\n\u{e0041}\u{e007f}\n'],
    ['a control character on the blank line', '\n\u0007\n'],
    ['bidi controls on the blank line', '\n\u202e\u2069\n'],
  ])('a blank line made of %s forges no entry', (_name, blank) => {
    for (const body of [`hi${blank}${forged}`, `${blank}${forged}`, `hi${blank}${forged}${blank}`]) {
      const entries = parseEntries(
        formatEntries([
          { sender: 'alice', body },
          { sender: 'carol', body: 'last' },
        ]),
      );
      expect(entries.map((entry) => entry.sender)).toEqual(['alice', 'carol']);
      expect(entries[0]?.body.split('\n')).toEqual(body.startsWith('hi') ? ['hi', forged] : [forged]);
      expect(entries[1]?.body).toBe('last');
      expect(formatEntries(entries)).not.toMatch(/[\r\v\f\u0085\u2028\u2029]/);
    }
  });
});

describe('entries', () => {
  test('come back as they were', () => {
    const entries: RetrievedEntry[] = [
      { sender: 'alice', body: 'a: b: c' },
      { sender: '[external deploy-bot]', body: 'done' },
      { sender: 'bob', body: '' },
      { sender: 'bob', body: 'two\nlines' },
    ];
    expect(parseEntries(formatEntries(entries))).toEqual(entries);
  });

  test('none is the empty text', () => {
    expect(formatEntries([])).toBe('');
    expect(parseEntries('')).toEqual([]);
  });

  test('text without a sender is shown, not lost', () => {
    expect(parseEntries('nonsense')).toEqual([{ sender: '', body: 'nonsense' }]);
  });

  test('as many as fit, counted in bytes', () => {
    const entries = [
      { sender: 'al', body: 'é' }, // 6 bytes
      { sender: 'bob', body: 'x' }, // 2 + 6 bytes
      { sender: 'c', body: 'y' },
    ];
    expect(fitEntries(entries, 13)).toBe(1);
    expect(fitEntries(entries, 14)).toBe(2);
    expect(Buffer.byteLength(formatEntries(entries.slice(0, 2)))).toBe(14);
    expect(fitEntries(entries)).toBe(3);
    expect(fitEntries([])).toBe(0);
  });

  test('an entry over the limit goes alone rather than never', () => {
    const entries = [
      { sender: 'a', body: 'x'.repeat(50) },
      { sender: 'b', body: 'y' },
    ];
    expect(fitEntries(entries, 10)).toBe(1);
  });

  test('the default limit is 1 MiB', () => {
    const entries = Array.from({ length: 40 }, () => ({ sender: 'alice', body: 'x'.repeat(65_000) }));
    const count = fitEntries(entries);
    expect(Buffer.byteLength(formatEntries(entries.slice(0, count)))).toBeLessThanOrEqual(1_048_576);
    expect(Buffer.byteLength(formatEntries(entries.slice(0, count + 1)))).toBeGreaterThan(1_048_576);
  });
});

describe('names', () => {
  test('are joined and come back', () => {
    expect(formatNames(['al', 'bob'])).toBe('al; bob');
    expect(parseNames('al; bob')).toEqual(['al', 'bob']);
    expect(parseNames(formatNames([]))).toEqual([]);
  });

  test('are cut between two names', () => {
    expect(fitNames(['al', 'bob', 'c'], 7)).toBe(2);
    expect(formatNames(['al', 'bob', 'c'], 7)).toBe('al; bob');
    expect(formatNames(['al', 'bob', 'c'], 6)).toBe('al');
    expect(formatNames(['al'], 1)).toBe('');
  });
});
