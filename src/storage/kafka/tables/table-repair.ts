import type { Logger } from 'pino';
import { RareWarning, Trouble } from '../wire/trouble.ts';
import type { TableState } from './table-state.ts';

/** Between two looks, milliseconds: anywhere in between, so that of several frontends one writes and the others see it. */
const SHORTEST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 1_200;
/** Records written again after one look. */
const MAX_IN_ROUND = 500;
/** Longest pause while what is written does not help: somebody hides it at once, or it is not believed here. */
const MOST_PATIENCE_MS = 300_000;

/**
 * Writes again what a table knows to be true and its log's last record does not say, so that no compaction takes it away.
 * The revision stays the same, so it does no harm beside a change, or when several frontends do it.
 */
export class TableRepair {
  readonly #state: TableState<unknown>;
  readonly #write: (key: string) => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** What the last round wrote. */
  #written: readonly string[] = [];
  #patience = 1;
  #reported = 0;
  readonly #refused: RareWarning;
  readonly #trouble: Trouble;

  constructor(state: TableState<unknown>, log: Logger, write: (key: string) => Promise<void>) {
    this.#state = state;
    this.#write = write;
    this.#trouble = new Trouble(log, 'records not written again');
    this.#refused = new RareWarning((fields) =>
      log.warn(fields, 'records that no frontend wrote were stepped over'),
    );
  }

  start(): void {
    if (this.#closed) return;
    const pause = SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
    this.#timer = setTimeout(() => void this.#round(), Math.min(pause * this.#patience, MOST_PATIENCE_MS));
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    this.#report();
    const { stale } = this.#state;
    const inVain = this.#written.length > 0 && this.#written.every((key) => stale.has(key));
    this.#patience = inVain ? Math.min(this.#patience * 2, MOST_PATIENCE_MS / SHORTEST_PAUSE_MS) : 1;
    const keys: string[] = [];
    for (const key of stale) {
      if (keys.length >= MAX_IN_ROUND) break;
      keys.push(key);
    }
    this.#written = keys;
    const results = await Promise.allSettled(keys.map((key) => this.#write(key)));
    const failed = results.find((result) => result.status === 'rejected');
    if (!failed) this.#trouble.over();
    else if (!this.#closed) this.#trouble.failed(failed.reason);
    this.start();
  }

  #report(): void {
    const { refused, stale } = this.#state;
    if (refused === this.#reported) return;
    this.#reported = refused;
    this.#refused.note({ recordsInAll: refused, toWriteAgain: stale.size });
  }
}
