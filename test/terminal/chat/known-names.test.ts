import { describe, expect, test } from 'vitest';
import { KnownNames } from '../../../src/terminal/chat/known-names.ts';

/** A server with these accounts, which gives so many at once and notes what it was asked. */
function server(all: readonly string[], atOnce = 1_000) {
  const asked: string[] = [];
  const names = new KnownNames(async (pattern) => {
    asked.push(pattern);
    const found = all.filter((name) => name.startsWith(pattern.slice(0, -1)));
    return { names: found.slice(0, atOnce), more: found.length > atOnce };
  });
  return { asked, names };
}

describe('the names of the server', () => {
  test('are asked for once, also for longer beginnings', async () => {
    const { asked, names } = server(['alice', 'bob', 'bodo']);
    expect(await names.like('Bo')).toEqual(['bob', 'bodo']);
    expect(names.like('bo')).toEqual(['bob', 'bodo']);
    expect(names.like('bob')).toEqual(['bob']);
    expect(names.like('box')).toEqual([]);
    expect(asked).toEqual(['bo*']);
    expect(await names.like('')).toHaveLength(3);
    expect(asked).toEqual(['bo*', '*']);
  });

  test('are asked for again where not all have come', async () => {
    const { asked, names } = server(['bob', 'bodo', 'bonnie'], 1);
    expect(await names.like('bo')).toEqual(['bob']);
    expect(await names.like('bon')).toEqual(['bonnie']);
    expect(asked).toEqual(['bo*', 'bon*']);
  });

  test('are asked for once while the answer is under way', async () => {
    const { asked, names } = server(['bob']);
    expect(await Promise.all([names.like('b'), names.like('b')])).toEqual([['bob'], ['bob']]);
    expect(asked).toEqual(['b*']);
  });

  test.each(['b*', 'b?', 'b b', 'ä', 'x'.repeat(33), 'b\0'])('are not asked for by %j', (typed) => {
    const { asked, names } = server(['bob']);
    expect(names.like(typed)).toEqual([]);
    expect(asked).toEqual([]);
  });

  test('do not keep anybody waiting, and are there for the next time', async () => {
    let answer: (names: readonly string[]) => void = () => undefined;
    const names = new KnownNames(
      () =>
        new Promise((resolve) => {
          answer = (found) => resolve({ names: found, more: false });
        }),
    );
    expect(await names.like('b')).toEqual([]);
    answer(['bob']);
    await expect.poll(() => names.like('b')).toEqual(['bob']);
  });

  test('that cannot be had are asked for again', async () => {
    let count = 0;
    const names = new KnownNames(async () => {
      count += 1;
      if (count === 1) throw new Error('offline');
      return { names: ['bob'], more: false };
    });
    expect(await names.like('b')).toEqual([]);
    expect(await names.like('b')).toEqual(['bob']);
  });

  test('of fifty beginnings are remembered', async () => {
    const beginnings = Array.from({ length: 51 }, (_, index) => `b${10 + index}`);
    const { asked, names } = server(beginnings);
    for (const beginning of beginnings) await names.like(beginning);
    await names.like('b60');
    await names.like('b10');
    expect(asked).toHaveLength(52);
  });
});
