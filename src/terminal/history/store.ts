import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Unsettled } from '../../client/v2/memory.ts';
import type { EntryState } from '../../client/v2/outbox.ts';
import {
  bounded,
  COLUMNS,
  CONVERSATION,
  type ConversationRow,
  conversationOf,
  fromRow,
  INCOMING,
  MESSAGE,
  type MessageRow,
  messageOf,
  pageOf,
  timeOf,
  type UnsettledRow,
  unsettledOf,
} from './rows.ts';
import { type Search, searchSql } from './search.ts';
import { Turns } from './turns.ts';
import type { Conversation, NotifyLevel, Peer, StoredMessage } from './types.ts';

/** A draft is cut to what a message may have. */
const MAX_DRAFT_CHARACTERS = 65_536;
/** Conversations that are listed; some program may call itself something else in each of its messages. */
const MAX_CONVERSATIONS = 10_000;
/** Where messages are counted for the screen, it says no more than that there are as many or more. */
export const MAX_COUNTED = 1_000;
/** Messages that one step of `forget` removes: a few milliseconds. */
const FORGET_AT_ONCE = 500;
/** What is unread is gathered from so many conversations, and from each so many messages. */
const MAX_GATHERED = 50;
const MAX_GATHERED_EACH = 5;
/** At each n-th message at most 2n old ones are removed: small steps, and no backlog. */
const TRIM_EVERY = 16;
/** Unsettled messages: as many as an outbox follows; more unanswered ones only if several processes sent. */
const MAX_UNANSWERED = 1_000;
const MAX_FOLLOWED = 2_000;
/** Bytes of a SHA-256 by which a key is remembered: nobody finds two keys with the same ones. */
const SEEN_BYTES = 16;

/** A message to be inserted; its id, if it had one before. */
export interface NewMessage {
  readonly id: number | null;
  readonly peer: Peer;
  readonly at: number | null;
  readonly body: string;
  /** Incoming. */
  readonly key?: string | null;
  readonly highlight?: boolean;
  /** Outgoing. */
  readonly out?: {
    readonly messageId: string;
    readonly fate: EntryState;
    readonly life: string | null;
    readonly mayBeStored: boolean;
  };
}

/** The first incoming message behind what was read, of a conversation that an UPDATE changes. */
const FIRST_UNREAD = (readUpTo: string) => `(
  SELECT m.id FROM messages m
  WHERE m.conversation = conversations.id AND m.id > ${readUpTo} AND m.fate IS NULL
  ORDER BY m.id LIMIT 1)`;

/** Why a message never went out whose account was deleted, or made anew. */
const FORSAKEN = 'the account that wrote it is gone';

/** What becomes of messages comes in this order; what comes late does not go back. */
const RANK: Readonly<Record<EntryState['kind'], number>> = {
  'on-its-way': 0,
  waiting: 0,
  refused: 1,
  unsure: 1,
  stored: 2,
  delivered: 3,
  undeliverable: 3,
};

/** What a history may hold: beyond either, its oldest messages go. */
export interface StoreLimits {
  readonly messages: number;
  /** Of the whole database, with its indexes. */
  readonly bytes: number;
}

/** The statements of one open history. Errors are SQLite's; transactions are the caller's. */
export class Store {
  readonly db: DatabaseSync;
  readonly turns: Turns;
  readonly #limits: StoreLimits;
  readonly #now: () => number;
  readonly #prepared = new Map<string, StatementSync>();

  /** @param now when something enters the history, in milliseconds since the epoch */
  constructor(db: DatabaseSync, limits: StoreLimits, now: () => number) {
    this.db = db;
    this.#now = now;
    this.turns = new Turns(db);
    this.#limits = limits;
  }

  /** The message with its id, or null if its key or message id is there already. */
  insert(message: NewMessage): StoredMessage | null {
    const { out } = message;
    const seen = message.key == null ? null : seenOf(message.key);
    // Looked for first: an insert that meets a conflict uses up an id, and by ids old messages are removed.
    if (seen !== null && this.#has(seen)) return null;
    if (out !== undefined && this.byMessageId(out.messageId) !== null) return null;
    const peer = bounded(message.peer);
    const body = message.body.toWellFormed();
    const at = timeOf(message.at);
    const conversation = this.#conversationId(peer);
    const highlight = out === undefined && message.highlight === true;
    const reason = out?.fate.kind === 'refused' ? out.fate.reason : null;
    // Copied after a failure, an id may have been taken by another process.
    const inserted = this.#sql(
      `INSERT INTO messages (id, conversation, at, body, seen, message_id, fate, reason, life, may_be_stored, highlight)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
    ).get(
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
    ) as { id: number } | undefined;
    if (inserted === undefined) return null;
    const { id } = inserted;
    const unread = out === undefined ? id : null;
    this.#sql(
      `UPDATE conversations SET messages = messages + 1, last_id = :id, activity = :id, last_at = :now,
         unread = unread + (:unread IS NOT NULL), first_unread = coalesce(first_unread, :unread),
         highlights = highlights + :highlight
       WHERE id = :conversation`,
    ).run({ id, now: this.#now(), unread, highlight: highlight ? 1 : 0, conversation });
    if (id % TRIM_EVERY === 0) this.#trim(this.#isTooLarge() ? id - 1 : id - this.#limits.messages);
    const direction = out === undefined ? 'in' : 'out';
    return { id, peer, direction, at, body, fate: out?.fate ?? null, highlight };
  }

  isSeen(key: string): boolean {
    return this.#has(seenOf(key));
  }

  byId(id: number): StoredMessage | null {
    return messageOf(this.#sql(`${MESSAGE} WHERE m.id = ?`).get(id));
  }

  byMessageId(messageId: string): StoredMessage | null {
    return messageOf(this.#sql(`${MESSAGE} WHERE m.message_id = ?`).get(messageId));
  }

  /**
   * The message as it is now, which is as it was if more is known already; null if it is not here.
   * @param at when it was stored, which is when it was sent from then on; null: as it was
   */
  setFate(
    messageId: string,
    fate: EntryState,
    receipt: Uint8Array | null,
    mayBeStored: boolean,
    at: number | null,
  ): StoredMessage | null {
    const message = this.byMessageId(messageId);
    if (message === null || message.fate === null) return message;
    if (RANK[fate.kind] < RANK[message.fate.kind]) return message;
    const reason = fate.kind === 'refused' ? fate.reason : null;
    const toAsk = fate.kind === 'stored' ? receipt : null;
    const sentAt = timeOf(at) ?? message.at;
    this.#sql(
      'UPDATE messages SET fate = ?, reason = ?, receipt = ?, may_be_stored = ?, at = ? WHERE id = ?',
    ).run(fate.kind, reason, toAsk, mayBeStored ? 1 : 0, sentAt, message.id);
    return { ...message, fate, at: sentAt };
  }

  /** What another life of the account, or nobody knows which, has sent is followed no longer. */
  forsake(life: string): void {
    this.#sql(
      `UPDATE messages SET fate = iif(may_be_stored, 'unsure', 'refused'), reason = iif(may_be_stored, NULL, ?)
       WHERE fate IN ('on-its-way', 'waiting') AND life IS NOT ?`,
    ).run(FORSAKEN, life);
    this.#sql('UPDATE messages SET receipt = NULL WHERE receipt IS NOT NULL AND life IS NOT ?').run(life);
  }

  /**
   * Takes an unanswered message for this process alone.
   * @param until milliseconds since the epoch
   * @returns false if another process has it, or it is answered
   */
  carry(messageId: string, until: number): boolean {
    const { changes } = this.#sql(
      `UPDATE messages SET carried_until = ?
       WHERE message_id = ? AND fate IN ('on-its-way', 'waiting') AND carried_until <= ?`,
    ).run(until, messageId, Date.now());
    return changes > 0;
  }

  /** Whoever comes next may send it, if it is not answered. */
  letGo(messageId: string): void {
    this.#sql('UPDATE messages SET carried_until = 0 WHERE message_id = ?').run(messageId);
  }

  /** The oldest unanswered messages that no process carries, then the newest stored ones whose delivery is not known; each oldest first. */
  unsettled(life: string): Unsettled[] {
    const unanswered = this.#sql(
      `${MESSAGE} WHERE m.fate IN ('on-its-way', 'waiting') AND m.life = ? AND m.carried_until <= ?
       ORDER BY m.id LIMIT ?`,
    ).all(life, Date.now(), MAX_UNANSWERED);
    const followed = this.#sql(
      `${MESSAGE} WHERE m.receipt IS NOT NULL AND m.life = ? ORDER BY m.id DESC LIMIT ?`,
    ).all(life, MAX_FOLLOWED);
    return [...unanswered, ...followed.reverse()].map((row) => unsettledOf(row as unknown as UnsettledRow));
  }

  conversations(): Conversation[] {
    return this.#sql(
      `${CONVERSATION} WHERE messages > 0 OR draft <> '' ORDER BY activity DESC, id DESC LIMIT ?`,
    )
      .all(MAX_CONVERSATIONS)
      .map((row) => conversationOf(row as unknown as ConversationRow));
  }

  conversation(peer: Peer): Conversation | null {
    const { kind, name } = bounded(peer);
    const row = this.#sql(`${CONVERSATION} WHERE kind = ? AND name = ?`).get(kind, name);
    return row === undefined ? null : conversationOf(row as unknown as ConversationRow);
  }

  before(peer: Peer, id: number, limit: number): StoredMessage[] {
    const { kind, name } = bounded(peer);
    return this.#page(
      `${MESSAGE} WHERE c.kind = ? AND c.name = ? AND m.id < ? ORDER BY m.id DESC LIMIT ?`,
      kind,
      name,
      id,
      pageOf(limit),
    ).reverse();
  }

  after(peer: Peer, id: number, limit: number): StoredMessage[] {
    const { kind, name } = bounded(peer);
    return this.#page(
      `${MESSAGE} WHERE c.kind = ? AND c.name = ? AND m.id > ? ORDER BY m.id LIMIT ?`,
      kind,
      name,
      id,
      pageOf(limit),
    );
  }

  /** The ids that there are; both 0 without any. */
  span(): { readonly oldest: number; readonly newest: number } {
    return this.#sql(
      'SELECT coalesce(min(id), 0) AS oldest, coalesce(max(id), 0) AS newest FROM messages',
    ).get() as { oldest: number; newest: number };
  }

  /** What is looked for, among the messages with ids from one to another, both included; newest first. */
  found(search: Search, oldest: number, newest: number, limit: number): StoredMessage[] {
    const { sql, values } = searchSql(search);
    return this.#sql(`SELECT ${COLUMNS} ${sql} ORDER BY m.id DESC LIMIT :limit`)
      .all({ ...values, oldest, newest, limit })
      .map((row) => fromRow(row as unknown as MessageRow));
  }

  countFound(search: Search, oldest: number, newest: number): number {
    const { sql, values } = searchSql(search);
    const { count } = this.#sql(`SELECT count(*) AS count ${sql}`).get({ ...values, oldest, newest }) as {
      count: number;
    };
    return count;
  }

  read(peer: Peer, upTo: number): void {
    const { kind, name } = bounded(peer);
    // Only what has just been read is counted: each message once.
    this.#sql(
      `UPDATE conversations SET
         unread = unread - (SELECT count(*) FROM messages m WHERE m.conversation = conversations.id
           AND m.id > read_up_to AND m.id <= :upTo AND m.fate IS NULL),
         highlights = highlights - (SELECT count(*) FROM messages m WHERE highlights > 0
           AND m.conversation = conversations.id AND m.id > read_up_to AND m.id <= :upTo AND m.highlight),
         first_unread = ${FIRST_UNREAD('min(:upTo, last_id)')},
         read_up_to = min(:upTo, last_id)
       WHERE kind = :kind AND name = :name AND read_up_to < min(:upTo, last_id)`,
    ).run({ upTo: Math.trunc(upTo), kind, name });
  }

  notify(peer: Peer, level: NotifyLevel): void {
    this.#sql('UPDATE conversations SET notify = ? WHERE id = ?').run(
      level,
      this.#conversationId(bounded(peer)),
    );
  }

  /** Incoming messages from one id up to another, that one not included; `MAX_COUNTED` at most. */
  countIncoming(peer: Peer, from: number, to: number): number {
    const { kind, name } = bounded(peer);
    const { count } = this.#sql(
      `SELECT count(*) AS count FROM (SELECT 1 ${INCOMING} AND m.id >= ? AND m.id < ? LIMIT ?)`,
    ).get(kind, name, from, Math.min(to, Number.MAX_SAFE_INTEGER), MAX_COUNTED) as { count: number };
    return count;
  }

  /** The first incoming message behind that one, or null. */
  firstIncoming(peer: Peer, after: number): number | null {
    const { kind, name } = bounded(peer);
    const row = this.#sql(`SELECT m.id ${INCOMING} AND m.id > ? ORDER BY m.id LIMIT 1`).get(
      kind,
      name,
      after,
    );
    return (row as { id: number } | undefined)?.id ?? null;
  }

  /** The newest highlighted messages, read or not. */
  highlighted(limit: number): StoredMessage[] {
    return this.#page(`${MESSAGE} WHERE m.highlight ORDER BY m.id DESC LIMIT ?`, pageOf(limit));
  }

  /** The first unread messages of the conversations that had something last; of those with the level `all`. */
  unread(): StoredMessage[] {
    const conversations = this.#sql(
      `SELECT id, read_up_to FROM conversations
       WHERE unread > 0 AND notify = 'all' ORDER BY activity DESC LIMIT ?`,
    ).all(MAX_GATHERED) as unknown as { id: number; read_up_to: number }[];
    return conversations.flatMap(({ id, read_up_to }) =>
      this.#page(
        `${MESSAGE} WHERE m.conversation = ? AND m.id > ? AND m.fate IS NULL ORDER BY m.id LIMIT ?`,
        id,
        read_up_to,
        MAX_GATHERED_EACH,
      ),
    );
  }

  draft(peer: Peer, text: string): void {
    const draft = text.slice(0, MAX_DRAFT_CHARACTERS).toWellFormed();
    this.#sql('UPDATE conversations SET draft = ? WHERE id = ?').run(
      draft,
      this.#conversationId(bounded(peer)),
    );
  }

  /** A step of it; returns how many messages it removed, 0 when there are no more up to that one. */
  forget(peer: Peer, upTo: number): number {
    // What goes is counted no longer; between two steps the person may read further, write, or mute it.
    this.read(peer, upTo);
    const id = this.#conversationId(bounded(peer));
    const { changes } = this.#sql(
      `DELETE FROM messages WHERE id IN (
         SELECT id FROM messages WHERE conversation = ? AND id <= ?
           AND (fate IS NULL OR fate NOT IN ('on-its-way', 'waiting')) ORDER BY id LIMIT ?)`,
    ).run(id, Math.min(upTo, Number.MAX_SAFE_INTEGER), FORGET_AT_ONCE);
    this.#sql('UPDATE conversations SET messages = messages - ? WHERE id = ?').run(Number(changes), id);
    this.#dropIfEmpty(id);
    return Number(changes);
  }

  /** Messages of the conversation. */
  size(peer: Peer): number {
    const { kind, name } = bounded(peer);
    const row = this.#sql('SELECT messages FROM conversations WHERE kind = ? AND name = ?').get(kind, name);
    return (row as { messages: number } | undefined)?.messages ?? 0;
  }

  #conversationId({ kind, name }: Peer): number {
    const row = (this.#sql('SELECT id FROM conversations WHERE kind = ? AND name = ?').get(kind, name) ??
      this.#sql(
        `INSERT INTO conversations (kind, name, last_at, activity)
         VALUES (?, ?, ?, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0)) RETURNING id`,
      ).get(kind, name, this.#now())) as { id: number };
    return row.id;
  }

  #has(seen: Uint8Array): boolean {
    return this.#sql('SELECT 1 FROM messages WHERE seen = ?').get(seen) !== undefined;
  }

  #isTooLarge(): boolean {
    const { pages } = this.#sql(
      `SELECT (page_count - freelist_count) * page_size AS pages
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    ).get() as { pages: number };
    return pages > this.#limits.bytes;
  }

  /** Removes the oldest messages up to this id, a few at a time. */
  #trim(upTo: number): void {
    if (upTo <= 0) return;
    const removed = this.#sql(
      `DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE id <= ? ORDER BY id LIMIT ?)
       RETURNING id, conversation, fate, highlight`,
    ).all(upTo, 2 * TRIM_EVERY) as unknown as {
      id: number;
      conversation: number;
      fate: string | null;
      highlight: number;
    }[];
    const conversations = Map.groupBy(removed, ({ conversation }) => conversation);
    for (const [conversation, messages] of conversations) {
      const { read_up_to } = this.#sql('SELECT read_up_to FROM conversations WHERE id = ?').get(
        conversation,
      ) as { read_up_to: number };
      const unread = messages.filter(({ id, fate }) => fate === null && id > read_up_to);
      const highlights = unread.filter(({ highlight }) => highlight !== 0).length;
      this.#sql(
        `UPDATE conversations SET messages = messages - ?, unread = unread - ?, highlights = highlights - ?,
           first_unread = ${FIRST_UNREAD('read_up_to')} WHERE id = ?`,
      ).run(messages.length, unread.length, highlights, conversation);
      this.#dropIfEmpty(conversation);
    }
  }

  #dropIfEmpty(conversation: number): void {
    this.#sql(
      `DELETE FROM conversations WHERE id = ? AND messages = 0 AND notify = 'all' AND draft = ''`,
    ).run(conversation);
  }

  #page(sql: string, ...values: (string | number)[]): StoredMessage[] {
    return this.#sql(sql)
      .all(...values)
      .map((row) => fromRow(row as unknown as MessageRow));
  }

  /** Prepared once; the texts are few, all of them in this file. */
  #sql(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

function seenOf(key: string): Uint8Array {
  return hash('sha256', key, 'buffer').subarray(0, SEEN_BYTES);
}
