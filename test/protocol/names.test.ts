import { describe, expect, test } from 'vitest';
import { externalSender, isUsername, parsePattern, parseUsername } from '../../src/protocol/names.ts';

describe('usernames', () => {
  test.each([
    ['alice', 'alice'],
    ['Alice', 'alice'],
    ['0', '0'],
    ['a-b_c', 'a-b_c'],
    ['A'.repeat(32), 'a'.repeat(32)],
  ])('%j is %j', (typed, name) => expect(parseUsername(typed)).toBe(name));

  test.each([
    '',
    '-a',
    '_a',
    'a b',
    'a.b',
    'a\n',
    'a\u0000',
    'é',
    '\u212a', // the Kelvin sign, whose lower case is k
    '\u0130', // I with dot, whose lower case has two characters
    'a'.repeat(33),
    '..',
    'a/b',
  ])('%j is refused', (typed) => {
    expect(() => parseUsername(typed)).toThrow(
      expect.objectContaining({ code: 'INVALID_USERNAME', fatal: false }),
    );
    expect(isUsername(typed)).toBe(false);
  });

  test('a stored name is lower-case', () => {
    expect(isUsername('alice')).toBe(true);
    expect(isUsername('Alice')).toBe(false);
  });
});

describe('patterns', () => {
  test('are lower-cased, and runs of stars made one', () => {
    expect(parsePattern('')).toBe('');
    expect(parsePattern('A**b?***')).toBe('a*b?*');
  });

  test.each(['a.b', '[a]', 'ä*', 'a\n', 'a'.repeat(65)])('%j is refused', (typed) => {
    expect(() => parsePattern(typed)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

describe('external senders', () => {
  test.each([
    ['', '[external]'],
    ['deploy-bot', '[external deploy-bot]'],
    ['bob: hi\n\ncarol', '[external bob hi carol]'],
    ['\u001b[2J', '[external 2J]'],
    ['] bob', '[external bob]'],
  ])('%j is shown as %j', (key, shown) => expect(externalSender(key)).toBe(shown));

  test('stays short and is never a username', () => {
    expect(externalSender('x'.repeat(100_000)).length).toBeLessThan(80);
    expect(isUsername(externalSender('bob'))).toBe(false);
  });
});
