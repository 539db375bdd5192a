/** What waits for the end of this turn of the event loop. Emptied in every turn, so nobody can make it grow. */
let waiting: (() => void)[] = [];

/**
 * Runs an action when everything else of this turn of the event loop is done. One immediate for all of them: a thousand
 * sockets that were written to cost one, not a thousand.
 */
export function atTurnEnd(action: () => void): void {
  if (waiting.push(action) === 1) setImmediate(runAll);
}

function runAll(): void {
  const actions = waiting;
  waiting = [];
  for (const action of actions) action();
}
