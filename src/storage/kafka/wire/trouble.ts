import type { Logger } from 'pino';
import { KafkaError } from './kafka-error.ts';
import { lastCause, now, whyOf } from './retry.ts';

const INTERVAL_MS = 60_000;
/** What passes by itself, and sooner, is not told: leaders move, and a broker that starts reads its groups. */
const GRACE_MS = 1_000;

/**
 * Something that fails over and over until it works again: one line in the log when that begins, one a minute while it lasts,
 * one when it is over.
 */
export class Trouble {
  readonly #log: Logger;
  readonly #what: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  /** On the clock of `now`; null while all is well. */
  #since: number | null = null;
  /** Null while nothing is told of it. */
  #toldAt: number | null = null;
  #failures = 0;

  /** @param what happens, as the line says it: `Kafka does not answer` */
  constructor(log: Logger, what: string, fields: Readonly<Record<string, unknown>> = {}) {
    this.#log = log;
    this.#what = what;
    this.#fields = fields;
  }

  /** @param began when what failed now was begun, on the clock of `now`: a question that nobody answered was put before */
  failed(error: unknown, began = now()): void {
    const isTold = this.#toldAt !== null || !isPassing(error) || now() - (this.#since ?? began) >= GRACE_MS;
    this.#note(isTold ? () => whyOf(error) : null, began);
  }

  /** The same of what is no error. @param why fields of the line */
  goesOn(why: Readonly<Record<string, unknown>>, began = now()): void {
    this.#note(() => why, began);
  }

  /** @param why null: not to be told yet */
  #note(why: (() => Readonly<Record<string, unknown>>) | null, began: number): void {
    const moment = now();
    this.#failures += 1;
    this.#since ??= began;
    if (why === null || (this.#toldAt !== null && moment - this.#toldAt < INTERVAL_MS)) return;
    const fields = { ...this.#fields, ...why() };
    if (this.#toldAt === null) this.#log.warn(fields, this.#what);
    else this.#log.warn({ ...fields, ...this.#sofar(moment) }, `${this.#what}: still so`);
    this.#toldAt = moment;
  }

  over(): void {
    if (this.#since === null) return;
    if (this.#toldAt !== null)
      this.#log.info({ ...this.#fields, ...this.#sofar(now()) }, `${this.#what}: over`);
    this.#since = null;
    this.#toldAt = null;
    this.#failures = 0;
  }

  #sofar(moment: number): { seconds: number; failures: number } {
    return { seconds: Math.round((moment - (this.#since ?? moment)) / 1_000), failures: this.#failures };
  }
}

/** Of Kafka's codes; the network's errors are told at once. */
function isPassing(error: unknown): boolean {
  const cause = lastCause(error);
  return cause instanceof KafkaError && cause.passing;
}

const WARNING_INTERVAL_MS = 10_000;

/**
 * A warning that others can cause as often as they like: told at once, then every ten seconds at most, with how many there
 * were meanwhile.
 */
export class RareWarning {
  readonly #tell: (fields: Readonly<Record<string, unknown>>) => void;
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  /** @param tell with the fields of the last one, and with `untold` others there were since the one before */
  constructor(tell: (fields: Readonly<Record<string, unknown>>) => void) {
    this.#tell = tell;
  }

  /** @param fields of this one, if it is the one that is told */
  note(fields: Readonly<Record<string, unknown>>): void {
    if (now() - this.#toldAt < WARNING_INTERVAL_MS) {
      this.#untold += 1;
      return;
    }
    this.#tell({ ...fields, ...(this.#untold > 0 && { untold: this.#untold }) });
    this.#toldAt = now();
    this.#untold = 0;
  }
}
