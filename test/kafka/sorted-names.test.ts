import { describe, expect, it } from 'vitest';
import { SortedNames } from '../../src/core/sorted-names.ts';
import { Random } from '../protocol/random.ts';
import { sized } from '../size.ts';

function all(names: SortedNames, from = '', open = false): string[] {
  const found: string[] = [];
  names.visit(from, open, (name) => found.push(name) > 0);
  return found;
}

describe('sorted names', () => {
  it.each([1, 2, 3, 4])('hold what a sorted set holds, whatever comes and goes (seed %i)', (seed) => {
    const numbers = new Random(seed);
    const random = () => numbers.fraction();
    const names = new SortedNames();
    const model = new Set<string>(Array.from({ length: 2_000 }, (_, i) => (i * 3).toString(36)));
    names.add('replaced');
    names.fill([...model].sort());
    expect(all(names)).toEqual([...model].sort());
    const someName = () => Math.floor(random() ** 2 * 8_000).toString(36);
    // Growing, then shrinking, then growing again: chunks are cut and joined.
    for (const [share, steps] of [
      [0.8, 15_000],
      [0.05, 15_000],
      [0.6, 5_000],
    ] as const) {
      for (let step = 0; step < steps; step++) {
        const name = someName();
        if (random() < share) {
          names.add(name);
          model.add(name);
        } else {
          names.delete(name);
          model.delete(name);
        }
      }
      const sorted = [...model].sort();
      expect(all(names)).toEqual(sorted);
      for (let look = 0; look < sized(10, 50); look++) {
        const from = someName();
        expect(all(names, from)).toEqual(sorted.filter((name) => name >= from));
        expect(all(names, from, true)).toEqual(sorted.filter((name) => name > from));
      }
    }
    for (const name of [...model]) names.delete(name);
    expect(all(names)).toEqual([]);
    names.add('again');
    expect(all(names)).toEqual(['again']);
  });

  it('stop where the visitor wants to, and say whether there are more', () => {
    const names = new SortedNames();
    for (let i = 9_999; i >= 1_000; i--) names.add(String(i));
    const found: string[] = [];
    expect(names.visit('2', false, (name) => found.push(name) < 3)).toBe(false);
    expect(found).toEqual(['2000', '2001', '2002']);
    expect(names.visit('9999', false, () => true)).toBe(true);
    expect(names.visit('9999', true, () => false)).toBe(true);
  });
});
