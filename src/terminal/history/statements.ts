import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { fromRow, type MessageRow } from './rows.ts';
import type { StoredMessage } from './types.ts';

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
