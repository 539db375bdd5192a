import type { Statements } from './database.ts';
import { bounded, CONVERSATION, type ConversationRow, conversationOf, INCOMING, MESSAGE } from './rows.ts';
import { type Conversation, type NotifyLevel, type Peer, type StoredMessage, usualLevel } from './types.ts';

/** A draft is cut to what a message may have. */
const MAX_DRAFT_CHARACTERS = 65_536;
/** Conversations that are listed; some program may call itself something else in each of its messages. */
const MAX_CONVERSATIONS = 10_000;
/** Where messages are counted for the screen, it says no more than that there are as many or more. */
export const MAX_COUNTED = 1_000;
/** What is unread is gathered from so many conversations, and from each so many messages. */
const MAX_GATHERED = 50;
const MAX_GATHERED_EACH = 5;

/** The first incoming message behind what was read, of a conversation that an UPDATE changes. */
export const FIRST_UNREAD = (readUpTo: string) => `(
  SELECT m.id FROM messages m
  WHERE m.conversation = conversations.id AND m.id > ${readUpTo} AND m.fate IS NULL
  ORDER BY m.id LIMIT 1)`;

/** The conversations: what of each is read, how it notifies, and what is written and not sent. */
export class ConversationTable {
  readonly #statements: Statements;
  readonly #now: () => number;

  constructor(statements: Statements, now: () => number) {
    this.#statements = statements;
    this.#now = now;
  }

  /** Newest activity first. */
  all(): Conversation[] {
    return this.#statements
      .get(
        `${CONVERSATION} WHERE messages > 0 OR draft <> '' OR joined ORDER BY activity DESC, id DESC LIMIT ?`,
      )
      .all(MAX_CONVERSATIONS)
      .map((row) => conversationOf(row as unknown as ConversationRow));
  }

  of(peer: Peer): Conversation | null {
    const { kind, name } = bounded(peer);
    const row = this.#statements.get(`${CONVERSATION} WHERE kind = ? AND name = ?`).get(kind, name);
    return row === undefined ? null : conversationOf(row as unknown as ConversationRow);
  }

  read(peer: Peer, upTo: number): void {
    const { kind, name } = bounded(peer);
    // Only what has just been read is counted: each message once.
    this.#statements
      .get(
        `UPDATE conversations SET
         unread = unread - (SELECT count(*) FROM messages m WHERE m.conversation = conversations.id
           AND m.id > read_up_to AND m.id <= :upTo AND m.fate IS NULL),
         highlights = highlights - (SELECT count(*) FROM messages m WHERE highlights > 0
           AND m.conversation = conversations.id AND m.id > read_up_to AND m.id <= :upTo AND m.highlight),
         first_unread = ${FIRST_UNREAD('min(:upTo, last_id)')},
         read_up_to = min(:upTo, last_id)
       WHERE kind = :kind AND name = :name AND read_up_to < min(:upTo, last_id)`,
      )
      .run({ upTo: Math.trunc(upTo), kind, name });
  }

  notify(peer: Peer, level: NotifyLevel): void {
    this.#statements
      .get('UPDATE conversations SET notify = ? WHERE id = ?')
      .run(level, this.idOf(bounded(peer)));
  }

  /** Incoming messages from one id up to another, that one not included; `MAX_COUNTED` at most. */
  countIncoming(peer: Peer, from: number, to: number): number {
    const { kind, name } = bounded(peer);
    const { count } = this.#statements
      .get(`SELECT count(*) AS count FROM (SELECT 1 ${INCOMING} AND m.id >= ? AND m.id < ? LIMIT ?)`)
      .get(kind, name, from, Math.min(to, Number.MAX_SAFE_INTEGER), MAX_COUNTED) as { count: number };
    return count;
  }

  /** The first incoming message behind that one, or null. */
  firstIncoming(peer: Peer, after: number): number | null {
    const { kind, name } = bounded(peer);
    const row = this.#statements
      .get(`SELECT m.id ${INCOMING} AND m.id > ? ORDER BY m.id LIMIT 1`)
      .get(kind, name, after);
    return (row as { id: number } | undefined)?.id ?? null;
  }

  /** The first unread messages of the conversations that had something last; of those with the level `all`. */
  unread(): StoredMessage[] {
    const conversations = this.#statements
      .get(
        `SELECT id, read_up_to FROM conversations
       WHERE unread > 0 AND notify = 'all' ORDER BY activity DESC LIMIT ?`,
      )
      .all(MAX_GATHERED) as unknown as { id: number; read_up_to: number }[];
    return conversations.flatMap(({ id, read_up_to }) =>
      this.#statements.page(
        `${MESSAGE} WHERE m.conversation = ? AND m.id > ? AND m.fate IS NULL ORDER BY m.id LIMIT ?`,
        id,
        read_up_to,
        MAX_GATHERED_EACH,
      ),
    );
  }

  draft(peer: Peer, text: string): void {
    const draft = text.slice(0, MAX_DRAFT_CHARACTERS).toWellFormed();
    this.#statements
      .get('UPDATE conversations SET draft = ? WHERE id = ?')
      .run(draft, this.idOf(bounded(peer)));
  }

  /** Messages of the conversation. */
  size(peer: Peer): number {
    const { kind, name } = bounded(peer);
    const row = this.#statements
      .get('SELECT messages FROM conversations WHERE kind = ? AND name = ?')
      .get(kind, name);
    return (row as { messages: number } | undefined)?.messages ?? 0;
  }

  /** Of a conversation, which is made where there is none. */
  idOf({ kind, name }: Peer): number {
    const row = (this.#statements
      .get('SELECT id FROM conversations WHERE kind = ? AND name = ?')
      .get(kind, name) ??
      this.#statements
        .get(
          `INSERT INTO conversations (kind, name, notify, last_at, activity)
         VALUES (?, ?, ?, ?, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0)) RETURNING id`,
        )
        .get(kind, name, usualLevel({ kind, name }), this.#now())) as { id: number };
    return row.id;
  }

  dropIfEmpty(conversation: number): void {
    this.#statements
      .get(
        `DELETE FROM conversations WHERE id = ? AND messages = 0 AND draft = '' AND NOT joined
         AND notify = iif(kind = 'room', 'highlights', 'all')`,
      )
      .run(conversation);
  }

  /** The rooms that the account is in, and no others. */
  joinedAre(rooms: readonly string[]): void {
    const listed = this.#statements
      .get('SELECT id, name FROM conversations WHERE joined')
      .all() as unknown as { id: number; name: string }[];
    for (const { id } of listed.filter(({ name }) => !rooms.includes(name))) this.#setJoined(id, false);
    for (const name of rooms) this.#setJoined(this.idOf(bounded({ kind: 'room', name })), true);
  }

  #setJoined(id: number, isJoined: boolean): void {
    this.#statements.get('UPDATE conversations SET joined = ? WHERE id = ?').run(isJoined ? 1 : 0, id);
    if (!isJoined) this.dropIfEmpty(id);
  }
}
