import { setImmediate } from 'node:timers/promises';

/** Counts the turns that others have while something is done. */
export async function turnsDuring(doing: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  let turns = 0;
  const over = doing().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await setImmediate();
    turns += 1;
  }
  await over;
  return turns;
}
