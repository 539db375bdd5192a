/** What waits for the end of this tick of the event loop. Emptied in every tick, so nobody can make it grow. */
let waiting: (() => void)[] = [];
let tick = 0;
let isScheduled = false;

/**
 * Runs an action when everything else of this tick of the event loop is done. One immediate for all of them: a thousand
 * sockets that were written to cost one, not a thousand.
 */
export function atTickEnd(action: () => void): void {
  waiting.push(action);
  if (!isScheduled) schedule();
}

/** A number for this tick of the event loop: the same until its end, another one for what runs then and later. */
export function thisTick(): number {
  if (!isScheduled) schedule();
  return tick;
}

function schedule(): void {
  isScheduled = true;
  setImmediate(endTick);
}

function endTick(): void {
  const actions = waiting;
  waiting = [];
  isScheduled = false;
  tick += 1;
  for (const action of actions) action();
}
