import type { EntryState, Unsettled } from '../../client/index.ts';
import type { Conversation, NotifyLevel, Peer, StoredMessage } from './types.ts';

/* What stands in the rows of a history's tables, and what is read from them. */

/** A conversation with more is not told apart by what follows; usernames are far shorter. */
const MAX_NAME_CHARACTERS = 256;
/** Longest page. */
const MAX_PAGE = 10_000;

export interface MessageRow {
  readonly id: number;
  readonly kind: Peer['kind'];
  readonly name: string;
  readonly at: number | null;
  readonly body: string;
  readonly fate: EntryState['kind'] | null;
  readonly reason: string | null;
  readonly highlight: number;
  readonly author: string | null;
  readonly external: number;
  readonly seq: number | null;
  readonly partition_number: number | null;
  readonly record_offset: number | null;
  readonly note: string | null;
}

export interface UnsettledRow extends MessageRow {
  readonly message_id: string;
  readonly receipt: Uint8Array | null;
  readonly may_be_stored: number;
}

export interface ConversationRow {
  readonly kind: Peer['kind'];
  readonly name: string;
  readonly last_id: number;
  readonly last_at: number;
  readonly unread: number;
  readonly first_unread: number | null;
  readonly highlights: number;
  readonly notify: NotifyLevel;
  readonly activity: number;
  readonly draft: string;
  readonly joined: number;
}

export const COLUMNS = `m.id, c.kind, c.name, m.at, m.body, m.fate, m.reason, m.message_id, m.receipt, m.may_be_stored,
  m.highlight, m.author, m.external, m.seq, m.partition_number, m.record_offset, m.note`;
export const MESSAGE = `SELECT ${COLUMNS} FROM messages m JOIN conversations c ON c.id = m.conversation`;
export const CONVERSATION = 'SELECT * FROM conversations';
/** Of a conversation, and incoming. */
export const INCOMING = `FROM messages m JOIN conversations c ON c.id = m.conversation
  WHERE c.kind = ? AND c.name = ? AND m.fate IS NULL`;

export function bounded({ kind, name }: Peer): Peer {
  return { kind, name: name.slice(0, MAX_NAME_CHARACTERS).toWellFormed() };
}

/** What a program wrote as its time may be anything. */
export function timeOf(at: number | null): number | null {
  return at === null || !Number.isSafeInteger(Math.trunc(at)) ? null : Math.trunc(at);
}

/** SQLite takes a negative limit for none. */
export function pageOf(limit: number): number {
  return limit > 0 ? Math.min(Math.trunc(limit), MAX_PAGE) : 0;
}

export function messageOf(row: unknown): StoredMessage | null {
  return row === undefined ? null : fromRow(row as MessageRow);
}

export function fromRow(row: MessageRow): StoredMessage {
  const { id, kind, name, at, body, fate, reason, highlight, author, external } = row;
  const { seq, partition_number: partition, record_offset: offset, note } = row;
  const direction = fate === null ? 'in' : 'out';
  return {
    id,
    peer: { kind, name },
    ...(author !== null && { author: { kind: external === 0 ? 'user' : 'external', name: author } }),
    ...(kind === 'room' && seq !== null && { seq }),
    ...(partition !== null && offset !== null && { record: { partition, offset, note } }),
    direction,
    at,
    body,
    fate: fate === null ? null : stateOf(fate, reason),
    highlight: highlight !== 0,
  };
}

function stateOf(kind: EntryState['kind'], reason: string | null): EntryState {
  return kind === 'refused' ? { kind, reason: reason ?? '' } : { kind };
}

export function unsettledOf(row: UnsettledRow): Unsettled {
  const { message_id, name, body, fate, reason, receipt, may_be_stored } = row;
  const state = stateOf(fate ?? 'unsure', reason);
  return { id: message_id, to: name, body, state, receipt, mayBeStored: may_be_stored !== 0 };
}

export function conversationOf(row: ConversationRow): Conversation {
  return {
    peer: { kind: row.kind, name: row.name },
    lastId: row.last_id,
    lastAt: row.last_at,
    unread: row.unread,
    firstUnread: row.first_unread,
    highlights: row.highlights,
    notify: row.notify,
    activity: row.activity,
    draft: row.draft,
    joined: row.joined !== 0,
  };
}
