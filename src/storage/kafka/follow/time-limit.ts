import { setImmediate } from 'node:timers/promises';
import { Script } from 'node:vm';

/** Where the script finds what it is to run: a context of its own would slow down everything else. */
const SLOT = 'milenaTimedWork';
const script = new Script(`${SLOT}()`);

/**
 * Runs what may take for ever, and ends it where it stands after so many milliseconds, whatever library it is in: its `finally` and
 * `catch` are not run, and what it was about to make is left half made. So it is for what makes nothing that stays. Some 0.1 ms for each call, so it is for many small things together.
 * @param ms on the clock, a whole number of at least 1: a busy machine may end what has hardly begun
 * @returns false where it was ended
 * @throws what it throws
 */
export function endsWithin(ms: number, work: () => void): boolean {
  Reflect.set(globalThis, SLOT, work);
  try {
    script.runInThisContext({ timeout: ms });
    return true;
  } catch (error) {
    if (isTimeout(error)) return false;
    throw error;
  } finally {
    Reflect.deleteProperty(globalThis, SLOT);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

/** Microseconds that this thread has worked. */
export function threadMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

// Node loads its clock when somebody first asks for it, and would never have one if that was ended.
void performance.now();

let last: Promise<void> = Promise.resolve();

/** Resolves in a turn of the event loop in which nobody else's does, in the order of the calls. */
export function nextTurn(): Promise<void> {
  last = last.then(() => setImmediate());
  return last;
}
