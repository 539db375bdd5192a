import { type EntryState, hex, type Message } from '../../client/index.ts';

/**
 * Who a conversation is with, or which room it is, whose name begins with `#`. `external` is what some Kafka producer called
 * itself, which may be empty or a user's name: the kinds keep their conversations apart.
 */
export interface Peer {
  readonly kind: 'user' | 'external' | 'room';
  readonly name: string;
}

/** A record of the topic that a room shows. */
export interface ToldRecord {
  readonly partition: number;
  readonly offset: number;
  /** Why the text is the record as it is: filter or template failed. As it came. */
  readonly note: string | null;
}

/** A message as the history has it. Texts are as they came: not safe for a terminal. */
export interface StoredMessage {
  /** Rises in the order in which messages entered the history; never used again. */
  readonly id: number;
  readonly peer: Peer;
  /** Incoming, in a room: who said it. Absent: who the conversation is with. */
  readonly author?: Peer;
  /** In a room: its place in the room's log, where that is known. */
  readonly seq?: number;
  /** In a room that shows a topic, whose name the author's is. */
  readonly record?: ToldRecord;
  readonly direction: 'in' | 'out';
  /** When it was sent, in milliseconds since the epoch; null where nobody knows. */
  readonly at: number | null;
  readonly body: string;
  /** Outgoing: what became of it; incoming: null. */
  readonly fate: EntryState | null;
  /** Incoming: it held the account's name or one of the person's words. */
  readonly highlight: boolean;
}

/** Of which messages of a conversation the person wants to be told, and which are counted. */
export type NotifyLevel = 'all' | 'highlights' | 'nothing';

export interface Conversation {
  readonly peer: Peer;
  /** The newest message: its id, and when it entered the history, in milliseconds since the epoch. */
  readonly lastId: number;
  readonly lastAt: number;
  /** Incoming messages that were not read yet; the first of them, or null; how many of them are highlighted. */
  readonly unread: number;
  readonly firstUnread: number | null;
  readonly highlights: number;
  readonly notify: NotifyLevel;
  /** Rises with what is said in it: the one with the highest was the last. */
  readonly activity: number;
  /** A room that the account is in. */
  readonly joined: boolean;
  /** What was typed and not sent. */
  readonly draft: string;
}

/** A message that comes in. */
export interface Incoming {
  readonly peer: Peer;
  readonly at: number | null;
  readonly body: string;
  /** By which it is known when it comes again (`messageKey`); null: it is not looked for. */
  readonly key: string | null;
  /** False unless it is given. */
  readonly highlight?: boolean;
  /** Its place in the inbox, or in the room's log. */
  readonly seq?: number;
  /** In a room: who said it. */
  readonly author?: Peer;
  readonly record?: ToldRecord;
  /** In a room, of a user: the message's id, and the life of the account that sent it; one's own come back so. */
  readonly sent?: { readonly messageId: string; readonly life: string };
}

/** A message that goes out. */
export interface Outgoing {
  /** Chosen by the sender, in hex. */
  readonly messageId: string;
  readonly to: string;
  readonly at: number;
  readonly body: string;
  readonly fate: EntryState;
  /** As `Entry.mayBeStored`; true unless it is given. */
  readonly mayBeStored?: boolean;
  /** Until when no other process may send it, in milliseconds since the epoch. */
  readonly carriedUntil?: number;
}

/** What another device of the account has sent, and is stored. */
export interface SentElsewhere extends Pick<Outgoing, 'messageId' | 'to' | 'body'> {
  readonly at: number | null;
  /** Its place in the room's log, where it has come back from there. */
  readonly seq?: number | undefined;
}

/** Whether the conversation has something unread that the person wants to be told of. */
export function isNews({ unread, highlights, notify }: Conversation): boolean {
  if (notify === 'nothing') return false;
  return (notify === 'all' ? unread : highlights) > 0;
}

/** Conversations with something unread that the person wants to be told of: what the header and the title say. */
export function countNews(conversations: readonly Conversation[]): number {
  return conversations.filter(isNews).length;
}

/** The conversation to read next, of a list with the newest activity first: the oldest news, then what is unread besides. */
export function nextToRead(conversations: readonly Conversation[]): Conversation | undefined {
  return conversations.findLast(isNews) ?? conversations.findLast(({ unread }) => unread > 0);
}

/** Whether both are the same, or neither is anybody. */
export function isSame(one: Peer | null, other: Peer | null): boolean {
  if (one === null || other === null) return one === other;
  return one.kind === other.kind && one.name === other.name;
}

/** For maps: another one for each conversation, and for none. */
export function peerKey(peer: Peer | null): string {
  return peer === null ? '' : `${peer.kind} ${peer.name}`;
}

/** Who gets what is sent there: a user, or a room. */
export function peerTo(to: string): Peer {
  return { kind: to.startsWith('#') ? 'room' : 'user', name: to };
}

/** A message as the history takes it. @param key as `messageKey` makes it */
export function incomingFrom(message: Message, key: string): Incoming {
  const { seq, body, room, sentAt } = message;
  const author: Peer = message.verified
    ? { kind: 'user', name: message.from }
    : { kind: 'external', name: message.external };
  // A program may write any number for a time.
  const at = Number.isNaN(new Date(sentAt).getTime()) ? null : sentAt;
  if (room === undefined) return { peer: author, at, body, key, seq };
  const sent = message.verified && { messageId: hex(message.id), life: hex(message.fromIncarnation) };
  const record = recordOf(message);
  const peer = { kind: 'room', name: room } as const;
  return { peer, at, body, key, seq, author, ...(sent && { sent }), ...(record && { record }) };
}

function recordOf(message: Message): ToldRecord | null {
  if (message.verified) return null;
  const { partition, offset, note = null } = message;
  return partition === undefined || offset === undefined ? null : { partition, offset, note };
}

/** Of which messages one is told where nobody has said otherwise: in a room of those that concern one. */
export function usualLevel({ kind }: Peer): NotifyLevel {
  return kind === 'room' ? 'highlights' : 'all';
}
