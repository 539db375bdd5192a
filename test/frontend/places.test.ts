import { describe, expect, it } from 'vitest';
import { type Occupant, type Place, Places } from '../../src/frontend/places.ts';

/** Somebody who remembers that it had to go. */
class Guest implements Occupant {
  mayBeEvicted = true;
  isOut = false;

  evict(): void {
    this.isOut = true;
  }
}

function taken(places: Places, address: string, guest: Occupant): Place {
  const place = places.take(address, guest);
  if (typeof place === 'string') throw new Error(`no place: ${place}`);
  return place;
}

describe('places', () => {
  it('go to the newcomer instead of the oldest stranger of the address with the most', () => {
    const places = new Places({ all: 4, perAddress: 9 });
    const [alone, oldest, second, third, newcomer] = Array.from({ length: 5 }, () => new Guest());
    if (!alone || !oldest || !second || !third || !newcomer) throw new Error('nobody is there');
    taken(places, 'b', alone);
    for (const guest of [oldest, second, third]) taken(places, 'a', guest);
    expect(places.taken).toBe(4);
    taken(places, 'c', newcomer);
    expect([alone, oldest, second, third, newcomer].map(({ isOut }) => isOut)).toEqual([
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(places.taken).toBe(4);
  });

  it('of an address go to the newcomer of that address', () => {
    const places = new Places({ all: 9, perAddress: 2 });
    const [first, second, third] = [new Guest(), new Guest(), new Guest()];
    for (const guest of [first, second, third]) taken(places, 'a', guest);
    expect([first.isOut, second.isOut, third.isOut]).toEqual([true, false, false]);
    expect(places.taken).toBe(2);
  });

  it('are kept by whoever has settled, and by whoever is about to', () => {
    const places = new Places({ all: 2, perAddress: 2 });
    const busy = new Guest();
    busy.mayBeEvicted = false;
    taken(places, 'a', new Guest()).settle();
    taken(places, 'a', busy);
    expect(places.take('a', new Guest())).toBe('address');
    expect(places.take('b', new Guest())).toBe('all');
    busy.mayBeEvicted = true;
    taken(places, 'b', new Guest());
    expect(busy.isOut).toBe(true);
  });

  it('are free again once, however often somebody leaves', () => {
    const places = new Places({ all: 1, perAddress: 1 });
    const place = taken(places, 'a', new Guest());
    place.settle();
    place.leave();
    place.leave();
    expect(places.taken).toBe(0);
    const next = taken(places, 'a', new Guest());
    next.settle();
    expect(places.take('a', new Guest())).toBe('address');
  });
});
