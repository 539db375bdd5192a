import { expect, test } from 'vitest';
import { sized } from '../size.ts';
import { type Done, fuzz } from './fuzz.ts';
import { SEED } from './fuzzing.ts';
import { TARGETS } from './targets.ts';

/** Of each target; `npm run fuzz -- --frames 10000000` has more. */
const FRAMES = Number(process.env.MILENA_FUZZ_FRAMES ?? sized(2_500, 50_000));
/** Only a failing test waits so long: a round that hangs is told earlier. */
const PATIENCE = { timeout: 300_000 };
/** On the heap and beside it, with the code. */
const MAX_BYTES = 256 * 1024 * 1024;

test(
  `whatever comes: a meaning or a refusal, soon and in little memory (seed ${SEED})`,
  PATIENCE,
  async () => {
    const done: Done[] = [];
    const names = Object.keys(TARGETS);
    await fuzz(names, FRAMES, SEED, (target) => done.push(target));
    expect(done.map(({ name }) => name)).toEqual(names);
    for (const { name, count, mostBytes } of done) {
      expect(count, name).toBeGreaterThanOrEqual(FRAMES);
      expect(mostBytes, name).toBeLessThan(MAX_BYTES);
    }
  },
);

test('what goes wrong is told with the seed that repeats it', PATIENCE, async () => {
  await expect(fuzz(['no such'], 1, 7, () => {})).rejects.toThrow('--seed 7');
});
