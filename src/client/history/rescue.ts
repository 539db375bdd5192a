import type { DatabaseSync } from 'node:sqlite';
import { isSqliteError } from './errors.ts';

/** Messages that a history takes along into memory when its file fails. */
const MAX_COPIED = 10_000;

/** Copies the newest messages from a history's file into an empty database in memory, as far as it can be read. */
export function copyNewest(file: string, memory: DatabaseSync): void {
  try {
    memory.prepare('ATTACH ? AS file').run(file);
    memory.exec(`
      BEGIN;
      INSERT INTO conversations SELECT * FROM file.conversations
        WHERE muted OR draft <> '' OR id IN (
          SELECT conversation FROM file.messages
          WHERE id > (SELECT max(id) FROM file.messages) - ${MAX_COPIED});
      INSERT INTO messages SELECT * FROM file.messages
        WHERE id > (SELECT max(id) FROM file.messages) - ${MAX_COPIED} ORDER BY id;
      COMMIT;
      DETACH file`);
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    if (memory.isTransaction) memory.exec('ROLLBACK');
  }
}
