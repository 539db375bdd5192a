import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { IdleCollection } from '../../src/server/idle-collection.ts';

const MEBIBYTE = 1024 * 1024;
const QUIET = 0.01;
const BUSY = 0.9;

/** Buffers that nobody holds any more, more than a tenth of all memory. */
function leave(): void {
  const count = Math.ceil(process.memoryUsage().rss / MEBIBYTE / 4);
  for (let i = 0; i < count; i++) new Uint8Array(MEBIBYTE).fill(1);
}

describe('collecting when all is quiet', () => {
  it('gives back what a busy time has left, once, and leaves a busy process alone', async () => {
    setFlagsFromString('--expose-gc');
    const collection = new IdleCollection(runInNewContext('gc'));
    // V8 may collect in between by itself: then there is nothing left to do, and it is tried again.
    await expect
      .poll(() => {
        collection.sample(QUIET);
        leave();
        const whileBusy = collection.sample(BUSY);
        const before = process.memoryUsage().arrayBuffers;
        const whenQuiet = collection.sample(QUIET);
        const given = before - process.memoryUsage().arrayBuffers;
        return { whileBusy, whenQuiet, again: collection.sample(QUIET), isLess: given > 16 * MEBIBYTE };
      })
      .toEqual({ whileBusy: false, whenQuiet: true, again: false, isLess: true });
  });
});
