import { describe, expect, it } from 'vitest';
import { BadExpression } from '../../src/storage/kafka/follow/bad-expression.ts';
import { makeFilter } from '../../src/storage/kafka/follow/filter.ts';
import { RecordFields } from '../../src/storage/kafka/follow/record-fields.ts';
import { recordOf, type Said } from './records.ts';

function says(where: string, said: Said): boolean {
  return makeFilter(where)(new RecordFields(3, recordOf(said)));
}

const order = {
  id: 4711,
  level: 'error',
  total: 12.5,
  tags: ['eu', 'team-pay'],
  user: { name: 'Zoë', vip: true },
};

describe('a filter', () => {
  it.each<[where: string, said: Said, is: boolean]>([
    ['value.level == "error"', { value: order }, true],
    ['value.level == "error"', { value: { level: 'info' } }, false],
    ['value.total > 12 && value.total < 13.0', { value: order }, true],
    ['value.id == 4711', { value: order }, true],
    ['value.user.vip && value.user.name.startsWith("Zo")', { value: order }, true],
    ['value["user"]["name"] == "Zoë"', { value: order }, true],
    ['value.tags.exists(t, t.startsWith("team-"))', { value: order }, true],
    ['value.tags.all(t, t.startsWith("team-"))', { value: order }, false],
    ['value.tags.filter(t, t.size() > 2).size() == 1', { value: order }, true],
    ['value.tags[0] == "eu" && "eu" in value.tags', { value: order }, true],
    ['has(value.level) && !has(value.nothing)', { value: order }, true],
    ['"level" in value && !("nothing" in value)', { value: order }, true],
    ['value.exists(name, name == "total")', { value: order }, true],
    ['type(value) == map && type(value.tags) == list', { value: order }, true],
    ['value == {"a": [1.0, null, {"b": true}]}', { value: { a: [1, null, { b: true }] } }, true],
    // JSON of every kind; text, where it is none.
    ['value == 42', { value: '42' }, true],
    ['value == null', { value: 'null' }, true],
    ['value == "quoted"', { value: '"quoted"' }, true],
    ['value == [1.0, 2.0]', { value: ' [1, 2]' }, true],
    ['value.contains("disk full")', { value: '[12:00] disk full on db-3' }, true],
    ['value.matches("^\\\\[[0-9:]+\\\\] disk")', { value: '[12:00] disk full on db-3' }, true],
    ['value.matches("(?i)DISK (full|gone)")', { value: 'the disk is gone' }, false],
    ['value == ""', { value: '' }, true],
    ['value == b"\\xff\\x00"', { value: Buffer.of(0xff, 0) }, true],
    ['type(value) == bytes && size(value) == 2', { value: Buffer.of(0xff, 0) }, true],
    // A tombstone.
    ['value == null', { value: null }, true],
    ['key == "db-3"', { key: 'db-3' }, true],
    ['key == null', {}, true],
    ['key == "1"', { key: '1' }, true],
    ['key == b"\\xff"', { key: Buffer.of(0xff) }, true],
    [
      'headers.trace == "on" && headers["x-id"] == "7"',
      {
        headers: [
          ['trace', 'on'],
          ['x-id', '7'],
        ],
      },
      true,
    ],
    [
      'headers.a == "2"',
      {
        headers: [
          ['a', '1'],
          ['a', '2'],
        ],
      },
      true,
    ],
    ['"trace" in headers', {}, false],
    ['headers.b == b"\\xff"', { headers: [['b', Buffer.of(0xff)]] }, true],
    ['partition == 3 && offset == 7', {}, true],
    ['offset >= 9007199254740991', { offset: Number.MAX_SAFE_INTEGER }, true],
    ['timestamp >= timestamp("2026-01-31T12:00:00Z")', { timestamp: Date.UTC(2026, 0, 31, 12) }, true],
    ['timestamp.getHours() == 13', { timestamp: Date.UTC(2026, 0, 31, 12) }, false],
    ['true // with a comment', {}, true],
    // Names that objects have by themselves are fields like any other.
    [
      'value.constructor == "x" && value.__proto__.a == 1',
      { value: '{"constructor":"x","__proto__":{"a":1}}' },
      true,
    ],
    ['has(value.toString) || has(value.__proto__) || "constructor" in value', { value: '{}' }, false],
    ['value.hasOwnProperty == null', { value: '{"hasOwnProperty":null}' }, true],
    // Numbers are doubles, as in JSON.
    ['value.n > 1e300', { value: '{"n":1e999}' }, true],
    ['value.n == 123456789012345680000.0', { value: '{"n":123456789012345678901}' }, true],
  ])('%s', (where, said, is) => {
    expect(says(where, said)).toBe(is);
  });

  it.each<[where: string, said: Said, why: RegExp]>([
    ['value.nothing == 1', { value: order }, /nothing/],
    ['value.level > 5', { value: order }, /no matching overload/],
    ['value.level == "x"', { value: null }, /level/],
    ['value', { value: order }, /neither true nor false/],
    ['value.tags[7] == "x"', { value: order }, /7/],
    ['int(value) == 1', { value: '9'.repeat(1_000) }, /overflow/],
    ['1 / 0 == 1', {}, /zero/],
    ['value == 1', { value: `"${'x'.repeat(300_000)}"` }, /300002 bytes/],
    ['key == "x"', { key: Buffer.alloc(300_000) }, /300000 bytes/],
    ['value + 1 == 2', { value: '{}' }, /overload/],
    [`(${Array(20).fill('value').join('+')}).contains("b")`, { value: 'a'.repeat(100_000) }, /joined/],
    ['[value].map(a, a + a).map(b, b + b + b)[0].contains("b")', { value: 'a'.repeat(200_000) }, /joined/],
    [`value${'[0]'.repeat(40)} == 1`, { value: '[]' }, /out of bounds|no such/],
    ['value == value', { value: `${'['.repeat(50_000)}${']'.repeat(50_000)}` }, /nested too deeply|stack/],
  ])('fails, and says why: %s', (where, said, why) => {
    expect(() => says(where, said)).toThrow(why);
  });
});

it('looks for no long text in a long one, which nothing could end', () => {
  const half = 'a'.repeat(30_000);
  const filter = makeFilter('value.contains(key)');
  const isShown = (key: string, value: string) => filter(new RecordFields(0, recordOf({ key, value })));
  const began = performance.now();
  expect(() => isShown(`${half}b${half}`, 'a'.repeat(250_000))).toThrow(/60001 characters looked for/);
  expect(performance.now() - began).toBeLessThan(1_000);
  expect([isShown('bb', 'abba'), isShown('bbb', 'abba')]).toEqual([true, false]);
});

describe('a filter that cannot be', () => {
  it.each<[where: string, line: number, column: number, why: RegExp]>([
    ['', 1, 1, /no expression/],
    ['   ', 1, 1, /no expression/],
    ['value.level = "error"', 1, 13, /"=" does not belong here: did you mean ==\?/],
    ['value.a == 1 & value.b == 2', 1, 14, /did you mean &&/],
    ['value.level ==', 1, 15, /ends where more must come/],
    ['(value.level == 1', 1, 18, /ends where more must come/],
    ['value.level == "error', 1, 16, /""" does not belong here/],
    ['(value.a == ) && true', 1, 13, /"\)" does not belong here/],
    ['value.a == 1 || value.b = 2', 1, 25, /did you mean ==/],
    ['value.a ? 1', 1, 12, /ends where more must come/],
    ['value.a == 1 * * 2', 1, 16, /"\*" does not belong here/],
    ['value.exists(t, t = "x")', 1, 19, /did you mean ==/],
    ['value.contains("x"', 1, 19, /ends where more must come/],
    ['value.contains("x", ) && true', 1, 21, /"\)" does not belong here/],
    ['value.tags[0', 1, 13, /ends where more must come/],
    ['value.a == ["x", "y"', 1, 21, /ends where more must come/],
    ['value. == 1', 1, 8, /"=" does not belong here/],
    ['value.a == if', 1, 12, /reserved/],
    ['value.a == 1\n  && valu.b == 2', 2, 6, /no name valu: there are key, value/],
    ['"valu" == "x" || valu', 1, 18, /no name valu/],
    ['value.valu == 1 || valu', 1, 20, /no name valu/],
    ['value.lower() == "x"', 1, 7, /no function lower/],
    ['lower(value) == "x"', 1, 1, /no function lower/],
    ['has(value)', 1, 1, /no function has/],
    ['value.exists(1, true)', 1, 7, /no function exists/],
    ['google.protobuf.Struct{}', 1, 1, /no type/],
    ['value.matches("(")', 1, 16, /the pattern cannot be used/],
    ['value.matches("(a{1000}){1000}")', 1, 16, /the pattern cannot be used/],
    ['value.matches(key)', 1, 7, /text in quotes/],
    [
      `${Array.from({ length: 9 }, (_, i) => `value.matches("${i}")`).join('||')}`,
      1,
      7,
      /more than 8 patterns/,
    ],
    ['value.a.exists(x, value.b.exists(y, value.c.exists(z, x == y && y == z)))', 1, 52, /more than 2 of/],
    ['value.map(a, a).map(b, b).map(c, c).size() == 1', 1, 11, /more than 2 of/],
    [`value == "${'x'.repeat(1_020)}"`, 1, 1_025, /1031 bytes, of 1024/],
    [`value == "${'ü'.repeat(510)}"`, 1, 522, /1031 bytes, of 1024/],
    [`"((" == "" || ${'('.repeat(40)}1${')'.repeat(40)}`, 1, 47, /nested too deeply/],
    ['['.repeat(1_000), 1, 33, /nested too deeply/],
  ])('%s', (where, line, column, why) => {
    const error = thrownBy(() => makeFilter(where));
    expect(error).toMatchObject({ code: 'BAD_FILTER', line, column });
    expect(error.message).toMatch(why);
  });

  function thrownBy(act: () => unknown): BadExpression {
    try {
      act();
    } catch (error) {
      if (error instanceof BadExpression) return error;
      throw error;
    }
    throw new Error('nothing was wrong with it');
  }
});
