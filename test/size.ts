import { test } from 'vitest';

/**
 * How much the tests do whose strength is in numbers: rounds of races, random inputs, programs times mistakes. The
 * everyday run does fewer, others each time where they are random; MILENA_TEST_SIZE=full does all.
 */
export const FULL = process.env.MILENA_TEST_SIZE === 'full';

/** As many as the run has time for. */
export function sized(quick: number, full: number): number {
  return FULL ? full : quick;
}

/** What skipped tests are called, so that a run ends with why: for `skipIf(!FULL)`. */
export function inFullSize(name: string): string {
  return FULL ? name : `${name} (in the full size)`;
}

/**
 * A test of the full run alone: what takes long, or what others look at, too, if from further away. It is skipped otherwise, and
 * says why.
 */
export function inFull(name: string, run: () => Promise<void>, timeoutMs?: number): void {
  test.skipIf(!FULL)(inFullSize(name), run, timeoutMs);
}

/**
 * Every `step`th of a list, beginning at another place for each `row`: rows beside each other have all of it between
 * them. All of it in a full run.
 */
export function share<Item>(items: readonly Item[], step: number, row: number): Item[] {
  return items.filter((_, at) => FULL || at % step === row % step);
}

/**
 * Rounds of a race, several at once: what one waits for, another one works in.
 * @param act one round, under names of its own
 */
export async function roundsAtOnce(
  count: number,
  act: (round: number) => Promise<void>,
  atOnce = 8,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
}
