import type { DatabaseSync } from 'node:sqlite';
import { HistoryError } from './errors.ts';

/** Written into the file, "Mlna": by it a history is known from other programs' databases. */
const APPLICATION_ID = 0x4d6c6e61;

/**
 * What makes the schema of version n + 1 out of that of version n (0: nothing). What was released stays as it is: a
 * change is a new entry.
 */
const MIGRATIONS: readonly string[] = [
  `
  -- One for each peer. The counters spare a look at all messages.
  CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    last_id INTEGER NOT NULL DEFAULT 0,
    -- When the newest message came in; before there is one, when the conversation was made.
    last_at INTEGER NOT NULL,
    read_up_to INTEGER NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0,
    first_unread INTEGER,
    muted INTEGER NOT NULL DEFAULT 0,
    draft TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, name)
  ) STRICT;
  CREATE INDEX active ON conversations (last_at, last_id) WHERE messages > 0 OR draft <> '';

  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations,
    at INTEGER,
    body TEXT NOT NULL,
    -- Incoming: hash of the key.
    seen BLOB,
    -- Outgoing. The life of the account that sent it is null where nobody will send it again.
    message_id TEXT,
    fate TEXT,
    reason TEXT,
    receipt BLOB,
    life TEXT
  ) STRICT;
  CREATE INDEX by_conversation ON messages (conversation);
  CREATE UNIQUE INDEX by_seen ON messages (seen) WHERE seen IS NOT NULL;
  CREATE UNIQUE INDEX by_message_id ON messages (message_id) WHERE message_id IS NOT NULL;
  CREATE INDEX unanswered ON messages (id) WHERE fate IN ('on-its-way', 'waiting');
  CREATE INDEX followed ON messages (id) WHERE receipt IS NOT NULL;

  CREATE VIRTUAL TABLE words USING fts5(
    body, content = 'messages', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
  );
  CREATE TRIGGER message_inserted AFTER INSERT ON messages BEGIN
    INSERT INTO words (rowid, body) VALUES (new.id, new.body);
  END;
  CREATE TRIGGER message_deleted AFTER DELETE ON messages BEGIN
    INSERT INTO words (words, rowid, body) VALUES ('delete', old.id, old.body);
  END;
  `,
  `
  -- Outgoing and unanswered: whether it went out, and so may be stored. Of earlier ones nobody knows.
  ALTER TABLE messages ADD COLUMN may_be_stored INTEGER NOT NULL DEFAULT 1;
  `,
  `
  -- Outgoing and unanswered: until when some process is at it, in milliseconds since the epoch; no other sends it meanwhile.
  ALTER TABLE messages ADD COLUMN carried_until INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Incoming: whether it held the account's name or one of the person's words when it came.
  ALTER TABLE messages ADD COLUMN highlight INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX highlighted ON messages (id) WHERE highlight;

  -- Which messages the person wants to be told of: 'all', 'highlights' or 'nothing'.
  ALTER TABLE conversations ADD COLUMN notify TEXT NOT NULL DEFAULT 'all';
  UPDATE conversations SET notify = 'nothing' WHERE muted;
  ALTER TABLE conversations DROP COLUMN muted;
  -- How many of the unread ones are highlighted.
  ALTER TABLE conversations ADD COLUMN highlights INTEGER NOT NULL DEFAULT 0;

  -- The order of the list: the newest message in any conversation when something was last said in this one, or when it
  -- was made. No clock has a part in it, whichever way it is set.
  ALTER TABLE conversations ADD COLUMN activity INTEGER NOT NULL DEFAULT 0;
  UPDATE conversations SET activity = iif(last_id > 0, last_id, coalesce((SELECT max(id) FROM messages), 0));
  DROP INDEX active;
  CREATE INDEX active ON conversations (activity, id) WHERE messages > 0 OR draft <> '';
  `,
  `
  -- Incoming: its place in the inbox or in the room's log, by which one's devices tell each other what is read. Null where
  -- nobody knows, and of another inbox than the account has now, which is remembered for that.
  ALTER TABLE messages ADD COLUMN seq INTEGER;
  CREATE TABLE inboxes (id TEXT NOT NULL) STRICT;
  -- Up to where the other devices have been told.
  ALTER TABLE conversations ADD COLUMN told_up_to INTEGER NOT NULL DEFAULT 0;
  UPDATE conversations SET told_up_to = read_up_to;
  CREATE INDEX untold ON conversations (id) WHERE read_up_to > told_up_to;

  -- Incoming, in a room: who said it; and whether that is what some program calls itself.
  ALTER TABLE messages ADD COLUMN author TEXT;
  ALTER TABLE messages ADD COLUMN external INTEGER NOT NULL DEFAULT 0;
  -- A room that the account is in is listed whatever is said there.
  ALTER TABLE conversations ADD COLUMN joined INTEGER NOT NULL DEFAULT 0;
  DROP INDEX active;
  CREATE INDEX active ON conversations (activity, id) WHERE messages > 0 OR draft <> '' OR joined;
  `,
  `
  -- Incoming, in a room that shows a topic: where the record lies there, and why it is shown as it is.
  ALTER TABLE messages ADD COLUMN partition_number INTEGER;
  ALTER TABLE messages ADD COLUMN record_offset INTEGER;
  ALTER TABLE messages ADD COLUMN note TEXT;
  `,
];

/** The schema's version, which the file has as its user_version. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the schema to the newest version, or leaves the file as it was.
 * @param version for tests: an older one, as earlier programs made it
 * @throws HistoryError for a newer version, or a file of another program; and what SQLite throws
 */
export function migrate(db: DatabaseSync, path: string, version = SCHEMA_VERSION): void {
  if (versionOf(db, path) === version) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster.
    for (const migration of MIGRATIONS.slice(versionOf(db, path), version)) db.exec(migration);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function versionOf(db: DatabaseSync, path: string): number {
  const { version, application, tables } = db
    .prepare(
      `SELECT user_version AS version, application_id AS application, (SELECT count(*) FROM sqlite_schema) AS tables
       FROM pragma_user_version, pragma_application_id`,
    )
    .get() as { version: number; application: number; tables: number };
  if (application !== APPLICATION_ID && (tables > 0 || version !== 0)) {
    throw new HistoryError(`${path} is a database of another program. Move it away.`);
  }
  if (version > SCHEMA_VERSION) {
    throw new HistoryError(
      `The history in ${path} was written by a newer Milena (${version}; this one knows ${SCHEMA_VERSION}). Update this one.`,
    );
  }
  return version;
}
