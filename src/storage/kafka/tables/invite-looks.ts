import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { NewAccount } from '../../../core/accounts.ts';

/** Between two looks, milliseconds: twice as long each time. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** What was under way when it failed has come after so long, or comes no more. */
const SETTLED_MS = 10_000;
/** Accounts looked at in the same time; past that the one too many stays. */
const MAX_LOOKS = 1_000;

/**
 * Looks again at accounts whose making failed: there may be one all the same, and one that is beyond the last use of its invite. It
 * is removed as soon as Kafka lets it; only where this frontend ends before that, it stays.
 */
export class InviteLooks {
  readonly #log: Logger;
  readonly #removeSurplus: (wanted: NewAccount) => Promise<boolean>;
  #looks = 0;
  #closed = false;

  /** @param removeSurplus removes the account if it is one too many, and tells whether it was */
  constructor(log: Logger, removeSurplus: (wanted: NewAccount) => Promise<boolean>) {
    this.#log = log;
    this.#removeSurplus = removeSurplus;
  }

  close(): void {
    this.#closed = true;
  }

  /** Goes on by itself until it is known. */
  async again(wanted: NewAccount): Promise<void> {
    if (this.#looks >= MAX_LOOKS) return;
    this.#looks += 1;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await sleep(pause, undefined, { ref: false });
      if (this.#closed) break;
      try {
        if (!(await this.#removeSurplus(wanted)) && pause >= SETTLED_MS) break;
      } catch (error) {
        this.#log.warn(
          { err: error, user: wanted.name },
          'an account that may be one too many stays for now',
        );
      }
    }
    this.#looks -= 1;
  }
}
