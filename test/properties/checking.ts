/*
 * How properties are checked: a failure prints the smallest case that was found, and the seed and the path that repeat it.
 * MILENA_FUZZ_SEED repeats a run.
 */
import fc from 'fast-check';
import { FULL } from '../size.ts';

/** Runs of a full test are so many times those of an everyday one. */
const FULL_FACTOR = 20;

const SEED = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** @param quick runs of an everyday test: the dearer one is, the fewer */
export function runs(quick: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: SEED, numRuns: FULL ? FULL_FACTOR * quick : quick };
}

/** Checks that it holds whatever comes of `steps`, one after the other. */
export function holds<Step>(
  steps: fc.Arbitrary<Step>,
  quick: number,
  most: number,
  check: (steps: readonly Step[]) => void,
): void {
  fc.assert(fc.property(fc.array(steps, { maxLength: most, size: 'max' }), check), runs(quick));
}
