import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Unsettled } from '../v2/memory.ts';
import type { EntryState } from '../v2/outbox.ts';
import { matchExpression } from './search.ts';
import { Turns } from './turns.ts';
import type { Conversation, Peer, StoredMessage } from './types.ts';

/** A conversation with more is not told apart by what follows; usernames are far shorter. */
const MAX_NAME_CHARACTERS = 256;
/** A draft is cut to what a message may have. */
const MAX_DRAFT_CHARACTERS = 65_536;
/** Conversations that are listed; some program may call itself something else in each of its messages. */
const MAX_CONVERSATIONS = 10_000;
/** Longest page. */
const MAX_PAGE = 10_000;
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
  /** Outgoing. */
  readonly out?: {
    readonly messageId: string;
    readonly fate: EntryState;
    readonly life: string | null;
    readonly mayBeStored: boolean;
  };
}

interface MessageRow {
  readonly id: number;
  readonly kind: Peer['kind'];
  readonly name: string;
  readonly at: number | null;
  readonly body: string;
  readonly fate: EntryState['kind'] | null;
  readonly reason: string | null;
}

interface UnsettledRow extends MessageRow {
  readonly message_id: string;
  readonly receipt: Uint8Array | null;
  readonly may_be_stored: number;
}

interface ConversationRow {
  readonly kind: Peer['kind'];
  readonly name: string;
  readonly last_id: number;
  readonly last_at: number;
  readonly unread: number;
  readonly first_unread: number | null;
  readonly muted: number;
  readonly draft: string;
}

const MESSAGE = `SELECT m.id, c.kind, c.name, m.at, m.body, m.fate, m.reason, m.message_id, m.receipt, m.may_be_stored
  FROM messages m JOIN conversations c ON c.id = m.conversation`;
const CONVERSATION = 'SELECT * FROM conversations';
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
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, limits: StoreLimits) {
    this.db = db;
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
    const reason = out?.fate.kind === 'refused' ? out.fate.reason : null;
    // Copied after a failure, an id may have been taken by another process.
    const inserted = this.#sql(
      `INSERT INTO messages (id, conversation, at, body, seen, message_id, fate, reason, life, may_be_stored)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
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
    ) as { id: number } | undefined;
    if (inserted === undefined) return null;
    const { id } = inserted;
    const unread = out === undefined ? id : null;
    this.#sql(
      `UPDATE conversations SET messages = messages + 1, last_id = ?, last_at = ?,
         unread = unread + (? IS NOT NULL), first_unread = coalesce(first_unread, ?)
       WHERE id = ?`,
    ).run(id, Date.now(), unread, unread, conversation);
    if (id % TRIM_EVERY === 0) this.#trim(this.#isTooLarge() ? id - 1 : id - this.#limits.messages);
    return { id, peer, direction: out === undefined ? 'in' : 'out', at, body, fate: out?.fate ?? null };
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

  /** The message as it is now, which is as it was if more is known already; null if it is not here. */
  setFate(
    messageId: string,
    fate: EntryState,
    receipt: Uint8Array | null,
    mayBeStored: boolean,
  ): StoredMessage | null {
    const message = this.byMessageId(messageId);
    if (message === null || message.fate === null) return message;
    if (RANK[fate.kind] < RANK[message.fate.kind]) return message;
    const reason = fate.kind === 'refused' ? fate.reason : null;
    const toAsk = fate.kind === 'stored' ? receipt : null;
    this.#sql('UPDATE messages SET fate = ?, reason = ?, receipt = ?, may_be_stored = ? WHERE id = ?').run(
      fate.kind,
      reason,
      toAsk,
      mayBeStored ? 1 : 0,
      message.id,
    );
    return { ...message, fate };
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
      `${CONVERSATION} WHERE messages > 0 OR draft <> '' ORDER BY last_at DESC, last_id DESC LIMIT ?`,
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

  search(words: string, limit: number, peer?: Peer): StoredMessage[] {
    const expression = matchExpression(words);
    if (expression === null) return [];
    const found = 'm.id IN (SELECT rowid FROM words WHERE words MATCH ?)';
    if (peer === undefined) {
      return this.#page(`${MESSAGE} WHERE ${found} ORDER BY m.id DESC LIMIT ?`, expression, pageOf(limit));
    }
    const { kind, name } = bounded(peer);
    return this.#page(
      `${MESSAGE} WHERE ${found} AND c.kind = ? AND c.name = ? ORDER BY m.id DESC LIMIT ?`,
      expression,
      kind,
      name,
      pageOf(limit),
    );
  }

  read(peer: Peer, upTo: number): void {
    const { kind, name } = bounded(peer);
    // Only what has just been read is counted: each message once.
    this.#sql(
      `UPDATE conversations SET
         unread = unread - (SELECT count(*) FROM messages m WHERE m.conversation = conversations.id
           AND m.id > read_up_to AND m.id <= :upTo AND m.fate IS NULL),
         first_unread = ${FIRST_UNREAD('min(:upTo, last_id)')},
         read_up_to = min(:upTo, last_id)
       WHERE kind = :kind AND name = :name AND read_up_to < min(:upTo, last_id)`,
    ).run({ upTo: Math.trunc(upTo), kind, name });
  }

  mute(peer: Peer, muted: boolean): void {
    this.#sql('UPDATE conversations SET muted = ? WHERE id = ?').run(
      muted ? 1 : 0,
      this.#conversationId(bounded(peer)),
    );
  }

  draft(peer: Peer, text: string): void {
    const draft = text.slice(0, MAX_DRAFT_CHARACTERS).toWellFormed();
    this.#sql('UPDATE conversations SET draft = ? WHERE id = ?').run(
      draft,
      this.#conversationId(bounded(peer)),
    );
  }

  forget(peer: Peer): void {
    const id = this.#conversationId(bounded(peer));
    this.#sql(
      `DELETE FROM messages WHERE conversation = ? AND (fate IS NULL OR fate NOT IN ('on-its-way', 'waiting'))`,
    ).run(id);
    this.#sql(
      `UPDATE conversations SET draft = '', muted = 0, unread = 0, first_unread = NULL, read_up_to = last_id,
         messages = (SELECT count(*) FROM messages WHERE conversation = :id) WHERE id = :id`,
    ).run({ id });
    this.#sql('DELETE FROM conversations WHERE id = ? AND messages = 0').run(id);
  }

  #conversationId({ kind, name }: Peer): number {
    const row = (this.#sql('SELECT id FROM conversations WHERE kind = ? AND name = ?').get(kind, name) ??
      this.#sql('INSERT INTO conversations (kind, name, last_at) VALUES (?, ?, ?) RETURNING id').get(
        kind,
        name,
        Date.now(),
      )) as { id: number };
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
       RETURNING id, conversation, fate`,
    ).all(upTo, 2 * TRIM_EVERY) as unknown as { id: number; conversation: number; fate: string | null }[];
    const conversations = Map.groupBy(removed, ({ conversation }) => conversation);
    for (const [conversation, messages] of conversations) {
      const { read_up_to } = this.#sql('SELECT read_up_to FROM conversations WHERE id = ?').get(
        conversation,
      ) as { read_up_to: number };
      const unread = messages.filter(({ id, fate }) => fate === null && id > read_up_to).length;
      this.#sql(
        `UPDATE conversations SET messages = messages - ?, unread = unread - ?,
           first_unread = ${FIRST_UNREAD('read_up_to')} WHERE id = ?`,
      ).run(messages.length, unread, conversation);
      this.#sql(`DELETE FROM conversations WHERE id = ? AND messages = 0 AND muted = 0 AND draft = ''`).run(
        conversation,
      );
    }
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

function bounded({ kind, name }: Peer): Peer {
  return { kind, name: name.slice(0, MAX_NAME_CHARACTERS).toWellFormed() };
}

/** What a program wrote as its time may be anything. */
function timeOf(at: number | null): number | null {
  return at === null || !Number.isSafeInteger(Math.trunc(at)) ? null : Math.trunc(at);
}

/** SQLite takes a negative limit for none. */
function pageOf(limit: number): number {
  return limit > 0 ? Math.min(Math.trunc(limit), MAX_PAGE) : 0;
}

function messageOf(row: unknown): StoredMessage | null {
  return row === undefined ? null : fromRow(row as MessageRow);
}

function fromRow({ id, kind, name, at, body, fate, reason }: MessageRow): StoredMessage {
  const direction = fate === null ? 'in' : 'out';
  return {
    id,
    peer: { kind, name },
    direction,
    at,
    body,
    fate: fate === null ? null : stateOf(fate, reason),
  };
}

function stateOf(kind: EntryState['kind'], reason: string | null): EntryState {
  return kind === 'refused' ? { kind, reason: reason ?? '' } : { kind };
}

function unsettledOf(row: UnsettledRow): Unsettled {
  const { message_id, name, body, fate, reason, receipt, may_be_stored } = row;
  const state = stateOf(fate ?? 'unsure', reason);
  return { id: message_id, to: name, body, state, receipt, mayBeStored: may_be_stored !== 0 };
}

function conversationOf(row: ConversationRow): Conversation {
  return {
    peer: { kind: row.kind, name: row.name },
    lastId: row.last_id,
    lastAt: row.last_at,
    unread: row.unread,
    firstUnread: row.first_unread,
    muted: row.muted !== 0,
    draft: row.draft,
  };
}
