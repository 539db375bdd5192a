import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from './database.ts';
import { historyError, isSqliteError } from './errors.ts';
import { Store } from './store.ts';

/** Messages that are kept; with more the oldest are removed. Some 300 bytes each with their words, if they are short. */
const MAX_MESSAGES = 1_000_000;
/** Bytes of the file; and of a history in memory. Messages of the usual length never come to that. */
const MAX_FILE_BYTES = 4 * 1024 ** 3;
const MAX_MEMORY_BYTES = 64 * 1024 ** 2;
/** What was changed is durable after so many milliseconds at most, and other processes wait no longer to write. */
const COMMIT_WITHIN_MS = 25;

export interface DurableOptions {
  /** Gets a sentence when the file fails later on, and the history goes on in memory. */
  readonly onProblem?: (sentence: string) => void;
  /** The clock by which messages enter it; this machine's unless it is given. */
  readonly now?: () => number;
  /** For tests: so many pages of 4 KiB the file may have, as on a full disk. */
  readonly maxPages?: number;
  /** For tests: so many messages are kept, and in so many bytes. */
  readonly maxMessages?: number;
  readonly maxBytes?: number;
}

type Work<Result> = (store: Store) => Result;

/**
 * A history's store whose changes gather in a transaction that one sync to the disk makes durable, and which goes on in
 * memory when its file fails: with the newest messages and all that was not committed yet, under the same ids.
 */
export class DurableStore {
  readonly #options: DurableOptions;
  #file: string | null;
  #store: Store;
  /** What the open transaction consists of, to do it again elsewhere. */
  #open: Work<unknown>[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param file null: in memory from the start. @throws HistoryError */
  constructor(file: string | null, options: DurableOptions) {
    this.#options = options;
    this.#file = file;
    this.#store = this.#openStore(file);
  }

  /** Null if it is in memory. */
  get file(): string | null {
    return this.#file;
  }

  read<Result>(work: Work<Result>): Result {
    return this.#attempt(work);
  }

  /** In the open transaction, or in a new one. */
  write<Result>(work: Work<Result>): Result {
    const result = this.#attempt((store) => {
      if (!store.db.isTransaction) store.turns.begin();
      return work(store);
    });
    this.#open.push(work);
    this.#timer ??= setTimeout(() => this.commit(), COMMIT_WITHIN_MS);
    return result;
  }

  /** Makes everything so far durable. Idempotent; cheap when nothing is open. */
  commit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { db } = this.#store;
    if (!db.isOpen || !db.isTransaction) return;
    this.#attempt((store) => store.turns.commit());
    this.#open = [];
  }

  /** Commits and ends; nothing may be asked afterwards. Idempotent. */
  close(): void {
    this.commit();
    if (this.#store.db.isOpen) this.#store.db.close();
  }

  #openStore(file: string | null): Store {
    const { maxPages, maxMessages = MAX_MESSAGES, maxBytes, now = Date.now } = this.#options;
    const bytes = maxBytes ?? (file === null ? MAX_MEMORY_BYTES : MAX_FILE_BYTES);
    const db = openDatabase(file, file === null ? undefined : maxPages);
    return new Store(db, { messages: maxMessages, bytes }, now);
  }

  /** Does it with the file, or if that fails in memory. */
  #attempt<Result>(work: Work<Result>): Result {
    try {
      return work(this.#store);
    } catch (error) {
      if (this.#file === null || !isSqliteError(error)) throw error;
      this.#goOnInMemory(this.#file, error);
      return work(this.#store);
    }
  }

  #goOnInMemory(file: string, failure: Error): void {
    const failed = this.#store.db;
    this.#file = null;
    this.#store = this.#openStore(null);
    const { db } = this.#store;
    try {
      // SQLite may have rolled it back already.
      if (failed.isTransaction) failed.exec('ROLLBACK');
      // Before it is closed: with the last connection go files that a full disk would not have again.
      copyNewest(file, db);
      failed.close();
    } catch (error) {
      if (!isSqliteError(error)) throw error;
    }
    if (this.#open.length > 0) db.exec('BEGIN');
    for (const work of this.#open) work(this.#store);
    const told = historyError(failure, file);
    this.#options.onProblem?.(told instanceof Error ? told.message : String(told));
  }
}

/** Messages that a history takes along into memory when its file fails. */
const MAX_COPIED = 10_000;
/** Of their texts; with more, fewer messages are taken along. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** The first message that is taken along. */
const OLDEST = `(
  SELECT min(id) FROM (
    SELECT id, sum(length(body)) OVER (ORDER BY id DESC) AS characters
    FROM (SELECT id, body FROM file.messages ORDER BY id DESC LIMIT ${MAX_COPIED})
  ) WHERE characters <= ${MAX_CHARACTERS})`;

/** Copies the newest messages from a history's file into an empty database in memory, as far as it can be read. */
function copyNewest(file: string, memory: DatabaseSync): void {
  try {
    memory.prepare('ATTACH ? AS file').run(file);
    memory.exec(`
      BEGIN;
      INSERT INTO conversations SELECT * FROM file.conversations
        WHERE notify <> 'all' OR draft <> '' OR joined OR id IN (
          SELECT conversation FROM file.messages
          WHERE id >= ${OLDEST});
      INSERT INTO messages SELECT * FROM file.messages
        WHERE id >= ${OLDEST} ORDER BY id;
      INSERT INTO inboxes SELECT * FROM file.inboxes;
      COMMIT;
      DETACH file`);
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    if (memory.isTransaction) memory.exec('ROLLBACK');
  }
}
