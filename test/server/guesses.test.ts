import { describe, expect, it } from 'vitest';
import { type Claim, Guesses } from '../../src/server/identity/guesses.ts';

const HOUR = 3_600_000;

/** Small buckets and a clock of our own. */
function open() {
  let now = 0;
  const guesses = new Guesses(
    {
      perPair: { burst: 2, perSecond: 1 / 600 },
      perKnownPair: { burst: 3, perSecond: 0.1 },
      perName: { burst: 4, perSecond: 0.1 },
      perAddress: { burst: 10, perSecond: 1 },
      keys: 1_000,
    },
    () => now,
  );
  /** Wrong passwords until one more would have to wait; at most 100. */
  const guess = (claim: Claim) => {
    for (let count = 0; count < 100; count++) {
      const waitMs = guesses.wait(claim);
      if (waitMs > 0) return { count, waitMs };
      guesses.wrong(claim);
    }
    return { count: 100, waitMs: 0 };
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { guesses, guess, pass };
}

function claim(name: string, address: string, isHolder = false): Claim {
  const never = () => false;
  return { name, address, isHolder, isGone: never, whenGone: () => {}, hasEnded: never, hasErred: never };
}

describe('wrong passwords', () => {
  it('count for their pair of name and address, then for the name', () => {
    const { guess } = open();
    expect(guess(claim('anna', 'a'))).toMatchObject({ count: 6, waitMs: 10_000 });
    // What all guessers of the name had in common is used up; each address has its own first ones all the same.
    expect(guess(claim('anna', 'b'))).toMatchObject({ count: 2, waitMs: 10_000 });
    expect(guess(claim('bert', 'b'))).toMatchObject({ count: 6, waitMs: 10_000 });
  });

  it('from however many addresses leave the owner alone, wherever they come from', () => {
    const { guesses, guess } = open();
    guesses.gotIn(claim('anna', 'home'));
    for (let i = 0; i < 500; i++) guess(claim('anna', `bot-${i}`));
    for (const address of ['home', 'never seen']) expect(guesses.wait(claim('anna', address))).toBe(0);
    expect(guess(claim('anna', 'home'))).toMatchObject({ count: 3, waitMs: 10_000 });
  });

  it('of a crowd of addresses are bounded for one name, at once and for an hour', () => {
    const { guess, pass } = open();
    const addresses = Array.from({ length: 100 }, (_, i) => claim('anna', `bot-${i}`));
    const all = () => addresses.reduce((sum, bot) => sum + guess(bot).count, 0);
    expect(all()).toBe(2 * 100 + 4);
    let inAnHour = 0;
    for (let minute = 0; minute < 60; minute++) {
      pass(HOUR / 60);
      inAnHour += all();
    }
    // Six for each address (one in ten minutes), and 360 for the name (one in ten seconds), some of which it could not keep.
    expect(inAnHour).toBeLessThanOrEqual(600 + 360);
    expect(inAnHour).toBeGreaterThan(600);
  });

  it('for any names make strangers from that address wait, and nobody who got in from there', () => {
    const { guesses, guess, pass } = open();
    guesses.gotIn(claim('anna', 'office'));
    for (let i = 0; i < 10; i++) guesses.wrong(claim(`name-${i}`, 'office'));
    expect(guesses.wait(claim('bert', 'office'))).toBe(1_000);
    expect(guesses.wait(claim('anna', 'office'))).toBe(0);
    expect(guesses.wait(claim('bert', 'elsewhere'))).toBe(0);
    pass(1_000);
    expect(guess(claim('bert', 'office'))).toEqual({ count: 1, waitMs: 1_000 });
  });

  it('that were looked at in the same moment count in full', () => {
    const { guesses, pass } = open();
    for (let i = 0; i < 12; i++) guesses.wrong(claim(`name-${i}`, 'office'));
    expect(guesses.wait(claim('anna', 'office'))).toBe(3_000);
    pass(3_000);
    expect(guesses.wait(claim('anna', 'office'))).toBe(0);
  });

  it('of others never concern who is logged in, but their own do', () => {
    const { guess } = open();
    for (let i = 0; i < 20; i++) guess(claim('anna', `bot-${i}`));
    expect(guess(claim('anna', 'bot-1', true))).toMatchObject({ count: 3, waitMs: 10_000 });
    expect(guess(claim('anna', 'bot-2', true))).toMatchObject({ count: 0, waitMs: 10_000 });
    expect(guess(claim('bert', 'bot-2', true))).toMatchObject({ count: 3 });
  });

  it('are remembered in tables of bounded size', () => {
    const { guesses, guess } = open();
    guesses.gotIn(claim('anna', 'home'));
    expect(guesses.isKnown(claim('anna', 'home'))).toBe(true);
    for (let i = 0; i < 1_000; i++) guesses.gotIn(claim(`name-${i}`, 'home'));
    expect(guesses.isKnown(claim('anna', 'home'))).toBe(false);
    expect(guess(claim('anna', 'home')).count).toBe(6);
  });
});
