import type { DatabaseSync } from 'node:sqlite';
import type { EntryState } from '../../client/index.ts';
import { ConversationTable, FIRST_UNREAD } from './conversation-table.ts';
import { Statements } from './database.ts';
import { OutgoingMessages } from './outgoing-messages.ts';
import { ReadPlaces } from './read-places.ts';
import { bounded, COLUMNS, fromRow, MESSAGE, type MessageRow, messageOf, pageOf, timeOf } from './rows.ts';
import { type Search, searchSql } from './search.ts';
import { Turns } from './turns.ts';
import type { Peer, StoredMessage, ToldRecord } from './types.ts';

/** Messages that one step of `forget` removes: a few milliseconds. */
const FORGET_AT_ONCE = 500;
/** At each n-th message at most 2n old ones are removed: small steps, and no backlog. */
const TRIM_EVERY = 16;
/** Bytes of a SHA-256 by which a key is remembered: nobody finds two keys with the same ones. */
const SEEN_BYTES = 16;

/** A message to be inserted; its id, if it had one before. */
export interface InsertedMessage {
  readonly id: number | null;
  readonly peer: Peer;
  readonly at: number | null;
  readonly body: string;
  /** Incoming. */
  readonly key?: string | null;
  readonly highlight?: boolean;
  readonly seq?: number | undefined;
  readonly author?: Peer;
  readonly record?: ToldRecord;
  /** Outgoing. */
  readonly out?: {
    readonly messageId: string;
    readonly fate: EntryState;
    readonly life: string | null;
    readonly mayBeStored: boolean;
  };
}

/** What a history may hold: beyond either, its oldest messages go. */
export interface StoreLimits {
  readonly messages: number;
  /** Of the whole database, with its indexes. */
  readonly bytes: number;
}

/** What is done with one open history: its messages, and by their names the rest. Errors are SQLite's; transactions are the caller's. */
export class Store {
  readonly db: DatabaseSync;
  readonly turns: Turns;
  readonly conversations: ConversationTable;
  readonly outgoing: OutgoingMessages;
  readonly places: ReadPlaces;
  readonly #statements: Statements;
  readonly #limits: StoreLimits;
  readonly #now: () => number;

  /** @param now when something enters the history, in milliseconds since the epoch */
  constructor(db: DatabaseSync, limits: StoreLimits, now: () => number) {
    this.db = db;
    this.#now = now;
    this.turns = new Turns(db);
    this.#statements = new Statements(db);
    this.conversations = new ConversationTable(this.#statements, now);
    this.outgoing = new OutgoingMessages(this.#statements);
    this.places = new ReadPlaces(this.#statements, this.conversations);
    this.#limits = limits;
  }

  /** The message with its id, or null if its key or message id is there already. */
  insert(message: InsertedMessage): StoredMessage | null {
    const { out, record } = message;
    const seen = message.key == null ? null : seenOf(message.key);
    // Looked for first: an insert that meets a conflict uses up an id, and by ids old messages are removed.
    if (seen !== null && this.#has(seen)) return null;
    const seq = timeOf(message.seq ?? null);
    if (out !== undefined && this.outgoing.byMessageId(out.messageId) !== null) {
      if (seq !== null) this.outgoing.lies(out.messageId, seq);
      return null;
    }
    const peer = bounded(message.peer);
    const body = message.body.toWellFormed();
    const at = timeOf(message.at);
    const conversation = this.conversations.idOf(peer);
    const highlight = out === undefined && message.highlight === true;
    const author = message.author === undefined ? null : bounded(message.author);
    const reason = out?.fate.kind === 'refused' ? out.fate.reason : null;
    // Copied after a failure, an id may have been taken by another process.
    const inserted = this.#statements
      .get(
        `INSERT INTO messages (id, conversation, at, body, seen, message_id, fate, reason, life, may_be_stored, highlight, seq,
         author, external, partition_number, record_offset, note)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
      )
      .get(
        message.id,
        conversation,
        at,
        body,
        seen,
        out?.messageId ?? null,
        out?.fate.kind ?? null,
        reason,
        out?.life ?? null,
        (out?.mayBeStored ?? true) ? 1 : 0,
        highlight ? 1 : 0,
        seq,
        author?.name ?? null,
        author?.kind === 'external' ? 1 : 0,
        record?.partition ?? null,
        record?.offset ?? null,
        record?.note?.toWellFormed() ?? null,
      ) as { id: number } | undefined;
    if (inserted === undefined) return null;
    const { id } = inserted;
    const unread = out === undefined ? id : null;
    this.#statements
      .get(
        `UPDATE conversations SET messages = messages + 1, last_id = :id, activity = :id, last_at = :now,
         unread = unread + (:unread IS NOT NULL), first_unread = coalesce(first_unread, :unread),
         highlights = highlights + :highlight
       WHERE id = :conversation`,
      )
      .run({ id, now: this.#now(), unread, highlight: highlight ? 1 : 0, conversation });
    if (id % TRIM_EVERY === 0) this.#trim(this.#isTooLarge() ? id - 1 : id - this.#limits.messages);
    const direction = out === undefined ? 'in' : 'out';
    return {
      ...{ id, peer, ...(author && { author }), ...(record && { record }) },
      ...(peer.kind === 'room' && seq !== null && { seq }),
      ...{ direction, at, body, fate: out?.fate ?? null, highlight },
    };
  }

  isSeen(key: string): boolean {
    return this.#has(seenOf(key));
  }

  byId(id: number): StoredMessage | null {
    return messageOf(this.#statements.get(`${MESSAGE} WHERE m.id = ?`).get(id));
  }

  before(peer: Peer, id: number, limit: number): StoredMessage[] {
    const { kind, name } = bounded(peer);
    return this.#statements
      .page(
        `${MESSAGE} WHERE c.kind = ? AND c.name = ? AND m.id < ? ORDER BY m.id DESC LIMIT ?`,
        kind,
        name,
        id,
        pageOf(limit),
      )
      .reverse();
  }

  after(peer: Peer, id: number, limit: number): StoredMessage[] {
    const { kind, name } = bounded(peer);
    return this.#statements.page(
      `${MESSAGE} WHERE c.kind = ? AND c.name = ? AND m.id > ? ORDER BY m.id LIMIT ?`,
      kind,
      name,
      id,
      pageOf(limit),
    );
  }

  /** The ids that there are; both 0 without any. */
  span(): { readonly oldest: number; readonly newest: number } {
    return this.#statements
      .get('SELECT coalesce(min(id), 0) AS oldest, coalesce(max(id), 0) AS newest FROM messages')
      .get() as { oldest: number; newest: number };
  }

  /** What is looked for, among the messages with ids from one to another, both included; newest first. */
  found(search: Search, oldest: number, newest: number, limit: number): StoredMessage[] {
    const { sql, values } = searchSql(search);
    return this.#statements
      .get(`SELECT ${COLUMNS} ${sql} ORDER BY m.id DESC LIMIT :limit`)
      .all({ ...values, oldest, newest, limit })
      .map((row) => fromRow(row as unknown as MessageRow));
  }

  countFound(search: Search, oldest: number, newest: number): number {
    const { sql, values } = searchSql(search);
    const { count } = this.#statements
      .get(`SELECT count(*) AS count ${sql}`)
      .get({ ...values, oldest, newest }) as {
      count: number;
    };
    return count;
  }

  /** The newest highlighted messages, read or not. */
  highlighted(limit: number): StoredMessage[] {
    return this.#statements.page(`${MESSAGE} WHERE m.highlight ORDER BY m.id DESC LIMIT ?`, pageOf(limit));
  }

  /** A step of it; returns how many messages it removed, 0 when there are no more up to that one. */
  forget(peer: Peer, upTo: number): number {
    // What goes is counted no longer; between two steps the person may read further, write, or mute it.
    this.conversations.read(peer, upTo);
    const id = this.conversations.idOf(bounded(peer));
    const { changes } = this.#statements
      .get(
        `DELETE FROM messages WHERE id IN (
         SELECT id FROM messages WHERE conversation = ? AND id <= ?
           AND (fate IS NULL OR fate NOT IN ('on-its-way', 'waiting')) ORDER BY id LIMIT ?)`,
      )
      .run(id, Math.min(upTo, Number.MAX_SAFE_INTEGER), FORGET_AT_ONCE);
    this.#statements
      .get('UPDATE conversations SET messages = messages - ? WHERE id = ?')
      .run(Number(changes), id);
    this.conversations.dropIfEmpty(id);
    return Number(changes);
  }

  #has(seen: Uint8Array): boolean {
    return this.#statements.get('SELECT 1 FROM messages WHERE seen = ?').get(seen) !== undefined;
  }

  #isTooLarge(): boolean {
    const { pages } = this.#statements
      .get(
        `SELECT (page_count - freelist_count) * page_size AS pages
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
      )
      .get() as { pages: number };
    return pages > this.#limits.bytes;
  }

  /** Removes the oldest messages up to this id, a few at a time. */
  #trim(upTo: number): void {
    if (upTo <= 0) return;
    const removed = this.#statements
      .get(
        `DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE id <= ? ORDER BY id LIMIT ?)
       RETURNING id, conversation, fate, highlight`,
      )
      .all(upTo, 2 * TRIM_EVERY) as unknown as {
      id: number;
      conversation: number;
      fate: string | null;
      highlight: number;
    }[];
    const conversations = Map.groupBy(removed, ({ conversation }) => conversation);
    for (const [conversation, messages] of conversations) {
      const { read_up_to } = this.#statements
        .get('SELECT read_up_to FROM conversations WHERE id = ?')
        .get(conversation) as { read_up_to: number };
      const unread = messages.filter(({ id, fate }) => fate === null && id > read_up_to);
      const highlights = unread.filter(({ highlight }) => highlight !== 0).length;
      this.#statements
        .get(
          `UPDATE conversations SET messages = messages - ?, unread = unread - ?, highlights = highlights - ?,
           first_unread = ${FIRST_UNREAD('read_up_to')} WHERE id = ?`,
        )
        .run(messages.length, unread.length, highlights, conversation);
      this.conversations.dropIfEmpty(conversation);
    }
  }
}

function seenOf(key: string): Uint8Array {
  // Loaded only here: who sends one message needs it for nothing else.
  const { hash } = process.getBuiltinModule('node:crypto');
  return hash('sha256', key, 'buffer').subarray(0, SEEN_BYTES);
}
