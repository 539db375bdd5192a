import { describe, expect, test } from 'vitest';
import { SortedNames } from '../../src/core/sorted-names.ts';
import { matches, NameSearches } from '../../src/core/wildcard.ts';
import { sized } from '../size.ts';

const COUNT = sized(100_000, 200_000);

function searchesOf(all: Iterable<string>): { names: SortedNames; searches: NameSearches } {
  const names = new SortedNames();
  for (const name of all) names.add(name);
  return { names, searches: new NameSearches(names, 32) };
}

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

describe('searches', () => {
  const names = ['a', 'ab', 'abc', 'b', 'ba'];
  const { searches } = searchesOf(names);
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
  ])('%j after %j, at most %i: %j', async (pattern, after, limit, expected) => {
    expect(await searches.find(pattern, after, limit)).toEqual(expected);
  });

  test('a pattern longer than any name finds nothing, at once', async () => {
    expect(await searches.find('?'.repeat(33), undefined, 9)).toEqual([]);
    expect(await searches.find(`${'*'.repeat(4_000)}b*`, undefined, 9)).toEqual(['ab', 'abc', 'b', 'ba']);
  });
});

describe('a search among many', () => {
  const many = Array.from({ length: COUNT }, (_, i) => `user-${i}`);
  const sorted = [...many].sort();

  test('finds what a look at every name finds', async () => {
    const { searches } = searchesOf(many);
    for (const [pattern, regex] of [
      ['*77*', /77/],
      ['user-1*9', /^user-1.*9$/],
      ['user-12?4*', /^user-12.4/],
      ['*', /^/],
    ] as const) {
      const expected = sorted.filter((name) => regex.test(name));
      expect(await searches.find(pattern, undefined, Number.POSITIVE_INFINITY)).toEqual(expected);
      expect(await searches.find(pattern, 'user-17', 7)).toEqual(
        expected.filter((name) => name > 'user-17').slice(0, 7),
      );
    }
  });

  test('is done in steps, each when whoever asked says so, and gives everything else a turn by itself', async () => {
    const { searches } = searchesOf(many);
    const hostile = `${'*0'.repeat(15)}*x`;
    let steps = 0;
    const found = await searches.find(hostile, undefined, 9, async (step) => {
      while (!step()) steps += 1;
    });
    expect(found).toEqual([]);
    expect(steps).toBeGreaterThan(20);
    let turns = 0;
    let over = false;
    const tick = () => {
      turns += 1;
      if (!over) setImmediate(tick);
    };
    setImmediate(tick);
    await searches.find(hostile, undefined, 9);
    over = true;
    expect(turns).toBeGreaterThan(20);
  });

  test('names what was there all the time exactly once while others come and go', async () => {
    const { names, searches } = searchesOf(many);
    const found = searches.find('*', undefined, Number.POSITIVE_INFINITY);
    let changing = true;
    const change = async () => {
      for (let i = 0; changing; i++) {
        for (let j = 0; j < 50; j++) {
          const n = (i * 7_919 + j * 104_729) % COUNT;
          names.add(`user-${n}x`);
          if (n % 2 === 1) names.delete(`user-${n}`);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const changes = change();
    const listed = await found;
    changing = false;
    await changes;
    expect(listed).toEqual([...new Set(listed)].sort());
    const there = new Set(listed);
    expect(many.filter((name, i) => i % 2 === 0 && !there.has(name))).toEqual([]);
  });
});
