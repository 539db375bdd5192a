import type { DatabaseSync } from 'node:sqlite';
import { isSqliteError } from './errors.ts';

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
export function copyNewest(file: string, memory: DatabaseSync): void {
  try {
    memory.prepare('ATTACH ? AS file').run(file);
    memory.exec(`
      BEGIN;
      INSERT INTO conversations SELECT * FROM file.conversations
        WHERE notify <> 'all' OR draft <> '' OR id IN (
          SELECT conversation FROM file.messages
          WHERE id >= ${OLDEST});
      INSERT INTO messages SELECT * FROM file.messages
        WHERE id >= ${OLDEST} ORDER BY id;
      COMMIT;
      DETACH file`);
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    if (memory.isTransaction) memory.exec('ROLLBACK');
  }
}
