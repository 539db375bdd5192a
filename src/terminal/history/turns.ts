import type { DatabaseSync } from 'node:sqlite';
import { BUSY_TIMEOUT_MS } from './database.ts';
import { isSqliteError, PRIMARY } from './errors.ts';

/** SQLite's primary result code for a lock that another connection has. */
const SQLITE_BUSY = 5;
/** So often is looked whether a turn has come. SQLite by itself would soon look every 100 ms only. */
const POLL_MS = 1;
/** Between two transactions of one process: long enough for another one to look. */
const GAP_MS = 1.5;
/** Shorter ones need no gap: there are so many ends of them that others meet one soon. */
const LONG_MS = 5;

/**
 * Transactions of processes that write to one file at once, in turns. Without a gap, one that always has something to
 * write would keep the others, and their screens, waiting.
 */
export class Turns {
  readonly #db: DatabaseSync;
  /** By the monotonic clock. */
  #begunAt = 0;
  #nextAt = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Begins a transaction that writes. @throws what SQLite throws, after some seconds if others keep the file */
  begin(): void {
    sleep(this.#nextAt - performance.now());
    const end = performance.now() + BUSY_TIMEOUT_MS;
    this.#db.exec(`PRAGMA busy_timeout = ${POLL_MS}`);
    try {
      while (!this.#hasBegun(end));
      this.#begunAt = performance.now();
    } finally {
      this.#db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }

  commit(): void {
    this.#db.exec('COMMIT');
    const now = performance.now();
    if (now - this.#begunAt >= LONG_MS) this.#nextAt = now + GAP_MS;
  }

  #hasBegun(end: number): boolean {
    try {
      // Immediate: a transaction that begins as a reader may find that it cannot become a writer.
      this.#db.exec('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      const isBusy = isSqliteError(error) && (error.errcode & PRIMARY) === SQLITE_BUSY;
      if (isBusy && performance.now() < end) return false;
      throw error;
    }
  }
}

function sleep(milliseconds: number): void {
  if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
