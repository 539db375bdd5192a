import { describe, expect, it } from 'vitest';
import { FairShare } from '../../src/frontend/fair-share.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('the share of one session in a turn of the event loop', () => {
  it('is used up after sixteen requests, and whole again in the next turn, of which it tells once', async () => {
    let told = 0;
    const share = new FairShare(() => {
      told += 1;
    });
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < 16; i++) {
        expect(share.isUsedUp).toBe(false);
        share.use();
      }
      expect(share.isUsedUp).toBe(true);
      expect(told).toBe(round - 1);
      await nextTurn();
      expect(share.isUsedUp).toBe(false);
      expect(told).toBe(round);
    }
    await nextTurn();
    expect(told).toBe(3);
  });
});
