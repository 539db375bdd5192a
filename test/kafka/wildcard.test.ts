import { describe, expect, test } from 'vitest';
import { matches, select } from '../../src/kafka/wildcard.ts';

describe('patterns', () => {
  test.each([
    ['*', 'alice', true],
    ['a*', 'alice', true],
    ['*e', 'alice', true],
    ['a*e', 'alice', true],
    ['*l*c*', 'alice', true],
    ['a?ice', 'alice', true],
    ['?????', 'alice', true],
    ['a*ice*', 'aliceice', true],
    ['*ab', 'aab', true],
    ['alice', 'alice', true],
    ['alic', 'alice', false],
    ['alicee', 'alice', false],
    ['????', 'alice', false],
    ['??????', 'alice', false],
    ['*b', 'alice', false],
    ['a*x*e', 'alice', false],
    ['lice', 'alice', false],
  ])('%j on %j: %s', (pattern, name, expected) => expect(matches(pattern, name)).toBe(expected));

  test('the worst pattern takes no exponential time', () => {
    expect(matches(`${'*a'.repeat(31)}*b`, 'a'.repeat(32))).toBe(false);
  });
});

describe('select', () => {
  const names = ['a', 'ab', 'abc', 'b', 'ba'];
  test.each([
    ['', undefined, 9, names],
    ['*', undefined, 9, names],
    ['a*', undefined, 9, ['a', 'ab', 'abc']],
    ['a*', 'a', 1, ['ab']],
    ['b', 'a', 9, ['b']],
    ['?', 'a', 9, ['b']],
    ['*', 'abc', 1, ['b']],
    ['a*', 'b', 9, []],
    ['c*', undefined, 9, []],
  ])('%j after %j, at most %i: %j', (pattern, after, limit, expected) => {
    expect(select(names, pattern, after, limit)).toEqual(expected);
  });
});
