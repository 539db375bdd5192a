import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { historyError } from './errors.ts';
import { fromRow, type MessageRow } from './rows.ts';
import { migrate } from './schema.ts';
import type { StoredMessage } from './types.ts';

/** So long is waited for another process that writes, which takes it some 30 ms. The client stands still meanwhile. */
export const BUSY_TIMEOUT_MS = 5_000;
/** KiB of pages kept in memory. */
const CACHE_KIB = 8_192;
/** The -wal file is cut to so many bytes again after a burst. */
const MAX_IDLE_WAL_BYTES = 4 * 1024 * 1024;

/**
 * A history's database with the newest schema, in memory for null.
 * @param maxPages so many pages of 4 KiB the file may have; what is beyond fails as on a full disk
 * @throws HistoryError
 */
export function openDatabase(path: string | null, maxPages?: number): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path ?? ':memory:', { timeout: BUSY_TIMEOUT_MS, defensive: true });
    // Before anything is changed: the file may be another program's.
    migrate(db, path ?? 'memory');
    // FULL: a commit is on the disk when it returns, even if the machine loses its power afterwards.
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA trusted_schema = OFF;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA journal_size_limit = ${MAX_IDLE_WAL_BYTES};
    `);
    if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
    return db;
  } catch (error) {
    db?.close();
    throw historyError(error, path ?? 'memory');
  }
}

/** The statements of one database, each prepared once: the texts are few, all of them in this folder. */
export class Statements {
  readonly db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  get(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  /** The messages that a statement which begins with `MESSAGE` finds. */
  page(sql: string, ...values: (string | number)[]): StoredMessage[] {
    return this.get(sql)
      .all(...values)
      .map((row) => fromRow(row as unknown as MessageRow));
  }
}
