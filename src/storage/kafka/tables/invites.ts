import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { NewAccount } from '../../../core/accounts.ts';

/**
 * Which accounts were made with which invite, in the order in which they stand in the log: so of two frontends that race
 * for the last use both know who was first. It holds accounts that were made with one, and no others.
 */
export class InviteUses {
  readonly #names = new Map<string, Set<string>>();
  readonly #invites = new Map<string, string>();

  /** An account is there. @param invite null: made without one */
  set(name: string, invite: string | null): void {
    const before = this.#invites.get(name) ?? null;
    if (before === invite) return;
    this.delete(name);
    if (invite === null) return;
    this.#invites.set(name, invite);
    const names = this.#names.get(invite) ?? new Set();
    this.#names.set(invite, names.add(name));
  }

  delete(name: string): void {
    const invite = this.#invites.get(name);
    if (invite === undefined) return;
    this.#invites.delete(name);
    const names = this.#names.get(invite);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(invite);
  }

  count(invite: string): number {
    return this.#names.get(invite)?.size ?? 0;
  }

  /** Accounts made with the same invite before this one. */
  before(name: string, invite: string): number {
    const at = [...(this.#names.get(invite) ?? [])].indexOf(name);
    return at === -1 ? 0 : at;
  }
}

/** Between two looks, milliseconds: twice as long each time. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** What was under way when it failed has come after so long, or comes no more. */
const SETTLED_MS = 10_000;
/** Accounts looked at in the same time; past that the one too many stays. */
const MAX_CHECKS = 1_000;

/**
 * Looks again at accounts whose making failed: there may be one all the same, and one that is beyond the last use of its invite. It
 * is removed as soon as Kafka lets it; only where this frontend ends before that, it stays.
 */
export class InviteChecks {
  readonly #log: Logger;
  readonly #removeSurplus: (wanted: NewAccount) => Promise<boolean>;
  #checks = 0;
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
    if (this.#checks >= MAX_CHECKS) return;
    this.#checks += 1;
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
    this.#checks -= 1;
  }
}
