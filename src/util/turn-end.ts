/** What waits for the end of this turn of the event loop. Emptied in every turn, so nobody can make it grow. */
let waiting: (() => void)[] = [];
let turn = 0;
let isScheduled = false;

/**
 * Runs an action when everything else of this turn of the event loop is done. One immediate for all of them: a thousand
 * sockets that were written to cost one, not a thousand.
 */
export function atTurnEnd(action: () => void): void {
  waiting.push(action);
  schedule();
}

/** A number for this turn of the event loop: the same until its end, another one for what runs then and later. */
export function thisTurn(): number {
  schedule();
  return turn;
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(endTurn);
}

function endTurn(): void {
  const actions = waiting;
  waiting = [];
  isScheduled = false;
  turn += 1;
  for (const action of actions) action();
}
