import { setTimeout as sleep } from 'node:timers/promises';

export interface SuspensionEvents {
  /** Gives the terminal back as it was. */
  readonly leave: () => void;
  /** Takes it again and draws everything. @param isOurs it was never given back: somebody stopped the process by force */
  readonly comeBack: (isOurs: boolean) => void;
  /** Nobody could have continued the process, so it was not stopped. */
  readonly stays: () => void;
}

/** A process that is not stopped by its own signal within this time is not going to be. */
const STOP_MS = 100;

/** Stops the process for Ctrl+Z and SIGTSTP, and finds its way back. */
export class Suspension {
  readonly #events: SuspensionEvents;
  #isSuspending = false;
  #hasEnded = false;

  constructor(events: SuspensionEvents) {
    this.#events = events;
    process.on('SIGTSTP', this.suspend);
    process.on('SIGCONT', this.#continued);
  }

  readonly suspend = (): void => {
    if (!this.#isSuspending) void this.#suspend();
  };

  /** Whether the terminal is given back just now. */
  get isAway(): boolean {
    return this.#isSuspending;
  }

  /** From now on nothing is taken again, also not by a process that was stopped. */
  end(): void {
    this.#hasEnded = true;
    process.off('SIGTSTP', this.suspend);
    process.off('SIGCONT', this.#continued);
  }

  readonly #continued = (): void => {
    if (!this.#isSuspending) this.#events.comeBack(true);
  };

  async #suspend(): Promise<void> {
    this.#isSuspending = true;
    let isContinued = false;
    process.once('SIGCONT', () => {
      isContinued = true;
    });
    this.#events.leave();
    process.off('SIGTSTP', this.suspend);
    // All of the job, as the terminal does it for programs that take no keys. The kernel stops nothing that has no shell.
    process.kill(0, 'SIGTSTP');
    await sleep(STOP_MS);
    // Signals are told after timers.
    await new Promise((resolve) => setImmediate(resolve));
    // Whoever kills a job that is stopped lets it go on for that.
    if (this.#hasEnded) return;
    process.on('SIGTSTP', this.suspend);
    this.#events.comeBack(false);
    this.#isSuspending = false;
    if (!isContinued) this.#events.stays();
  }
}
