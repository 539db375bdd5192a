import { describe, expect, it } from 'vitest';
import { type Place, Places } from '../../src/server/net/places.ts';

/** Who had to go, in that order. */
function watched(options: { all: number; perAddress: number }) {
  const places = new Places(options);
  const evicted: string[] = [];
  const take = (address: string, name: string) => places.take(address, () => evicted.push(name));
  const taken = (address: string, name: string): Place => {
    const place = take(address, name);
    if (typeof place === 'string') throw new Error(`no place: ${place}`);
    return place;
  };
  return { places, evicted, take, taken };
}

describe('places', () => {
  it('go to the newcomer instead of the oldest stranger of the address with the most', () => {
    const { places, evicted, taken } = watched({ all: 4, perAddress: 9 });
    taken('b', 'alone');
    for (const name of ['oldest', 'second', 'third']) taken('a', name);
    taken('c', 'newcomer');
    expect(evicted).toEqual(['oldest']);
    expect(places.taken).toBe(4);
    taken('c', 'another');
    expect(evicted).toEqual(['oldest', 'second']);
  });

  it('of an address go to the newcomer of that address', () => {
    const { places, evicted, taken } = watched({ all: 9, perAddress: 2 });
    for (const name of ['first', 'second', 'third']) taken('a', name);
    expect(evicted).toEqual(['first']);
    expect(places.taken).toBe(2);
  });

  it('are kept by whoever is no stranger, until it is one again', () => {
    const { evicted, take, taken } = watched({ all: 2, perAddress: 2 });
    taken('a', 'settled').isStrangers(false);
    const busy = taken('a', 'busy');
    busy.isStrangers(false);
    expect(take('a', 'more')).toBe('address');
    expect(take('b', 'other')).toBe('all');
    busy.isStrangers(true);
    taken('b', 'other');
    expect(evicted).toEqual(['busy']);
  });

  it('are taken last from whoever has just asked for a login', () => {
    const { evicted, taken } = watched({ all: 3, perAddress: 9 });
    const asking = taken('a', 'asking');
    for (const name of ['idle', 'idle too']) taken('a', name);
    asking.isStrangers(true);
    for (const name of ['b', 'c', 'd']) taken('a', name);
    expect(evicted).toEqual(['idle', 'idle too', 'asking']);
  });

  it('are found where most are logged in and few are strangers', () => {
    const { evicted, taken } = watched({ all: 4, perAddress: 9 });
    for (const name of ['settled', 'settled too']) taken('a', name).isStrangers(false);
    taken('b', 'idle');
    taken('c', 'idle as well');
    taken('d', 'newcomer');
    expect(evicted).toEqual(['idle']);
  });

  it('are free again once, however often somebody leaves', () => {
    const { places, take, taken } = watched({ all: 1, perAddress: 1 });
    const place = taken('a', 'first');
    place.leave();
    place.leave();
    place.isStrangers(true);
    expect(places.taken).toBe(0);
    taken('a', 'next').isStrangers(false);
    expect(take('a', 'late')).toBe('address');
  });

  it('are counted right through any coming and going', () => {
    const { places, evicted, take } = watched({ all: 50, perAddress: 20 });
    const kept: Place[] = [];
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (let i = 0; i < 20_000; i++) {
      const place = kept[random(Math.max(1, kept.length))];
      const what = random(4);
      if (what < 2) {
        const next = take(`address-${random(9)}`, String(i));
        if (typeof next !== 'string') kept.push(next);
      } else if (what === 2) place?.isStrangers(random(2) === 0);
      else if (place !== undefined) kept.splice(kept.indexOf(place), 1)[0]?.leave();
      expect(places.taken).toBeLessThanOrEqual(50);
    }
    for (const place of kept) place.leave();
    expect(places.taken).toBe(0);
    expect(evicted.length).toBeGreaterThan(100);
  });
});
