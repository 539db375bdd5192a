import type { ConversationTable } from './conversation-table.ts';
import type { Statements } from './database.ts';
import { bounded } from './rows.ts';
import type { Peer } from './types.ts';

/** Up to where something was read here, of which the account's other devices have not been told. */
export interface Untold {
  readonly peer: Peer;
  /** Of the last message that was read, in the inbox or in the room's log. */
  readonly seq: number;
  /** The same message's in the history. */
  readonly id: number;
}

/** What one's devices tell each other of what is read: by places in the inbox and in rooms' logs, which are the same for all. */
export class ReadPlaces {
  readonly #statements: Statements;
  readonly #conversations: ConversationTable;

  constructor(statements: Statements, conversations: ConversationTable) {
    this.#statements = statements;
    this.#conversations = conversations;
  }

  /** In another inbox a place means another message: those of the one before mean nothing any more. */
  inboxIs(inbox: string): void {
    const known = this.#statements.get('SELECT 1 FROM inboxes WHERE id = ?').get(inbox);
    if (known !== undefined) return;
    this.#statements.get('DELETE FROM inboxes').run();
    this.#statements.get('INSERT INTO inboxes (id) VALUES (?)').run(inbox);
    this.#statements
      .get(
        `UPDATE messages SET seq = NULL WHERE seq IS NOT NULL
         AND conversation IN (SELECT id FROM conversations WHERE kind <> 'room')`,
      )
      .run();
  }

  /** Where nothing has a place that can be told, it counts as told. @param limit of conversations */
  untold(limit: number): Untold[] {
    return this.#statements
      .get(
        `SELECT kind, name, read_up_to AS id, coalesce((
           SELECT seq FROM messages m WHERE m.conversation = conversations.id AND m.id <= read_up_to
             AND m.id > told_up_to AND m.seq IS NOT NULL ORDER BY m.id DESC LIMIT 1), -1) AS seq
         FROM conversations WHERE read_up_to > told_up_to ORDER BY id LIMIT ?`,
      )
      .all(limit)
      .map((row) => {
        const { kind, name, id, seq } = row as unknown as Peer & {
          readonly id: number;
          readonly seq: number;
        };
        return { peer: { kind, name }, id, seq };
      });
  }

  /** The other devices know of it. @param id as `untold` has it */
  told(peer: Peer, id: number): void {
    const { kind, name } = bounded(peer);
    this.#statements
      .get('UPDATE conversations SET told_up_to = max(told_up_to, ?) WHERE kind = ? AND name = ?')
      .run(id, kind, name);
  }

  /** Another device has read up to there. */
  heard(peer: Peer, seq: number): void {
    const { kind, name } = bounded(peer);
    const row = this.#statements
      .get(
        `SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation
         WHERE c.kind = ? AND c.name = ? AND m.fate IS NULL AND m.seq <= ? ORDER BY m.id DESC LIMIT 1`,
      )
      .get(kind, name, seq) as { id: number } | undefined;
    if (row === undefined) return;
    this.#conversations.read(peer, row.id);
    this.told(peer, row.id);
  }
}
