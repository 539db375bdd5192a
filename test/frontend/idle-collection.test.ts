import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { IdleCollection } from '../../src/frontend/idle-collection.ts';

const MEBIBYTE = 1024 * 1024;

/** Buffers that nobody holds any more, more than a tenth of all memory. */
function leave(): void {
  const count = Math.ceil(process.memoryUsage().rss / MEBIBYTE / 4);
  for (let i = 0; i < count; i++) new Uint8Array(MEBIBYTE).fill(1);
}

function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('collecting when all is quiet', () => {
  it('gives back what a busy time has left, once, and leaves a busy process alone', async () => {
    const collection = new IdleCollection();
    collection.look();
    await delay(300);
    // Whatever this process has left over until now.
    collection.look();
    // A collection of its own may come in between: then there is nothing left to do, and it is tried again.
    await expect
      .poll(
        async () => {
          leave();
          work(100);
          const whileBusy = collection.look();
          const before = process.memoryUsage().arrayBuffers;
          await delay(600);
          const whenQuiet = collection.look();
          const given = before - process.memoryUsage().arrayBuffers;
          await delay(100);
          return { whileBusy, whenQuiet, again: collection.look(), isLess: given > 16 * MEBIBYTE };
        },
        { timeout: 20_000 },
      )
      .toEqual({ whileBusy: false, whenQuiet: true, again: false, isLess: true });
  });
});
