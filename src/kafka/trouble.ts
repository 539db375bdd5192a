import type { Logger } from 'pino';
import { EngineError } from './errors.ts';
import { now, reasonOf, worthRetrying } from './retry.ts';

const INTERVAL_MS = 60_000;

/**
 * Something that fails over and over until it works again: one line in the log when that begins, one a minute while it lasts,
 * one when it is over. What the network did comes without a stack: it says where this program waited, and nothing of why.
 */
export class Trouble {
  readonly #log: Logger;
  readonly #what: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  /** On the clock of `now`; null while all is well. */
  #since: number | null = null;
  #toldAt = 0;
  #failures = 0;

  /** @param what happens, as the line says it: `Kafka does not answer` */
  constructor(log: Logger, what: string, fields: Readonly<Record<string, unknown>> = {}) {
    this.#log = log;
    this.#what = what;
    this.#fields = fields;
  }

  failed(error: unknown): void {
    const moment = now();
    this.#failures += 1;
    if (this.#since !== null && moment - this.#toldAt < INTERVAL_MS) return;
    // Where it was tried again for a while, what the last try met.
    const cause = error instanceof EngineError && error.cause !== undefined ? error.cause : error;
    const why = worthRetrying(cause) ? { reason: reasonOf(cause) } : { err: error };
    if (this.#since === null) this.#log.warn({ ...this.#fields, ...why }, this.#what);
    else this.#log.warn({ ...this.#fields, ...why, ...this.#sofar(moment) }, `${this.#what}: still so`);
    this.#since ??= moment;
    this.#toldAt = moment;
  }

  over(): void {
    if (this.#since === null) return;
    this.#log.info({ ...this.#fields, ...this.#sofar(now()) }, `${this.#what}: over`);
    this.#since = null;
    this.#failures = 0;
  }

  #sofar(moment: number): { seconds: number; failures: number } {
    return { seconds: Math.round((moment - (this.#since ?? moment)) / 1_000), failures: this.#failures };
  }
}
