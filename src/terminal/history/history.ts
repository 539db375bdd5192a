import { utimesSync } from 'node:fs';
import type { EntryState, Unsettled } from '../../client/index.ts';
import { putLast } from '../../util/bounded-map.ts';
import { type DurableOptions, DurableStore } from './durable-store.ts';
import { fileName, prepareFile } from './files.ts';
import type { Untold } from './read-places.ts';
import type { Found, Search } from './search.ts';
import type { InsertedMessage } from './store.ts';
import {
  type Conversation,
  type Incoming,
  type NotifyLevel,
  type Outgoing,
  type Peer,
  peerKey,
  peerTo,
  type SentElsewhere,
  type StoredMessage,
} from './types.ts';

/**
 * Messages that one step of a search looks at: some 20 ms, and 120 of a million whose words all begin so, since FTS5 makes
 * one list of those each time.
 */
const FIND_AT_ONCE = 100_000;
/** Rooms that another device has read further than this one has them; with one more the first is forgotten. */
const MAX_AHEAD = 200;
/** Messages of a page while all are read. */
const PAGE = 500;

export interface HistoryOptions extends DurableOptions {
  /** Null: in memory only. */
  readonly directory: string | null;
  /** As `host:port`. */
  readonly server: string;
  readonly account: string;
  /** Null, or not given: the main one. */
  readonly device?: string | null;
}

/**
 * What one account on one server has received and sent. Everything is synchronous.
 *
 * Changes gather in a transaction, which one sync to the disk makes durable: `commit`, for who has to know that they
 * are (before `Client.shown`); a timer for all others; `sent`, since the message goes out next. Other processes see
 * them then and can write as well.
 *
 * When SQLite fails (a full or broken disk, a damaged file), the history tells it once and goes on in memory with the
 * newest messages and all that was not committed yet: ids stay what they are, and nothing is thrown. The file is left
 * as it is until the next start. What is shown from then on is acknowledged, though it ends with the process: the
 * person has been told.
 */
export class History {
  readonly account: string;
  /** Called when somebody has read something here. */
  onRead: () => void = () => undefined;
  readonly #store: DurableStore;
  /** The account's life that is logged in to; null before. */
  #life: string | null = null;
  /** Up to where rooms were read elsewhere: between two logs there is no order, and the messages may come later than that. */
  readonly #readAhead = new Map<string, number>();

  private constructor(file: string | null, options: HistoryOptions) {
    this.account = options.account;
    this.#store = new DurableStore(file, options);
  }

  /** Makes directory (0700) and file (0600) where there are none. @throws HistoryError */
  static open(options: HistoryOptions): History {
    const { directory, server, account, device } = options;
    return new History(
      directory === null ? null : prepareFile(directory, fileName(server, account, device)),
      options,
    );
  }

  /** Null if the history is in memory. */
  get file(): string | null {
    return this.#store.file;
  }

  /**
   * The account is logged in to. Another life of it than before (it was deleted and made again) is somebody else:
   * nothing that the earlier one wrote is sent or asked for any more; what went out without an answer is `unsure`, and
   * what never did is `refused`.
   * @param inbox in which messages have their places; empty: not known
   */
  begin(incarnation: string, inbox = ''): void {
    this.#life = incarnation;
    this.#store.write((store) => {
      store.outgoing.forsake(incarnation);
      if (inbox !== '') store.places.inboxIs(inbox);
    });
    this.commit();
    const { file } = this.#store;
    if (file !== null) markUsed(file);
  }

  /** A message that came in, or null if its key is known. What one has said in a room oneself comes back, and is one's own. */
  received({ sent, ...message }: Incoming): StoredMessage | null {
    const { peer, at, body, seq = -1 } = message;
    if (sent !== undefined && sent.life === this.#life) {
      return this.sentElsewhere({ messageId: sent.messageId, to: peer.name, at, body, seq: message.seq });
    }
    const stored = this.#insert(message);
    const readUpTo = this.#readAhead.get(peerKey(peer));
    if (stored !== null && readUpTo !== undefined && seq <= readUpTo) this.readElsewhere(peer, seq);
    return stored;
  }

  /** What was sent by another program of the account, and is stored; null if it is here already. */
  sentElsewhere({ messageId, to, at, body, seq }: SentElsewhere): StoredMessage | null {
    const out = { messageId, fate: { kind: 'stored' }, life: null, mayBeStored: true } as const;
    return this.#insert({ peer: peerTo(to), at, body, seq, out });
  }

  /**
   * A message that goes out; durable when this returns, with all before it. Given again it is the one that there is.
   */
  sent({ messageId, to, at, body, fate, mayBeStored = true, carriedUntil }: Outgoing): StoredMessage {
    const life = this.#life;
    const stored =
      this.#insert({ peer: peerTo(to), at, body, out: { messageId, fate, life, mayBeStored } }) ??
      this.#store.read((store) => store.outgoing.byMessageId(messageId));
    if (carriedUntil !== undefined)
      this.#store.write((store) => store.outgoing.carry(messageId, carriedUntil));
    this.commit();
    if (stored === null) throw new Error(`message ${messageId} was neither inserted nor there`);
    return stored;
  }

  /**
   * An outgoing message's fate became known; what is less than is known already changes nothing.
   * Returns the message as it is now, or null if it is not here.
   * @param receipt to ask for the fate of a stored message with; null if it need not or cannot be asked for
   * @param mayBeStored as `Entry.mayBeStored`
   * @param at when the server stored it, which is its time from then on; null: as it was
   */
  fate(
    messageId: string,
    fate: EntryState,
    receipt: Uint8Array | null,
    mayBeStored = true,
    at: number | null = null,
  ): StoredMessage | null {
    return this.#store.write((store) => store.outgoing.setFate(messageId, fate, receipt, mayBeStored, at));
  }

  /**
   * Takes an unanswered message for this process alone; durable when this returns.
   * @param until milliseconds since the epoch
   * @returns false if another process has it, or it is answered
   */
  carry(messageId: string, until: number): boolean {
    const isOurs = this.#store.write((store) => store.outgoing.carry(messageId, until));
    this.commit();
    return isOurs;
  }

  /** Whoever comes next may send it, if it is not answered. */
  letGo(messageId: string): void {
    this.#store.write((store) => store.outgoing.letGo(messageId));
  }

  /** Makes everything so far durable. Idempotent; cheap when nothing is open. */
  commit(): void {
    this.#store.commit();
  }

  /** Whether a message with this key was received. */
  hasSeen(key: string): boolean {
    return this.#store.read((store) => store.isSeen(key));
  }

  /**
   * What this life of the account sent and is not settled: the oldest unanswered messages that no other process is at
   * (1,000 at most), then the
   * newest stored ones (2,000 at most), each oldest first.
   */
  unsettled(): Unsettled[] {
    const life = this.#life;
    return life === null ? [] : this.#store.read((store) => store.outgoing.unsettled(life));
  }

  /** With messages or a draft, or rooms that one is in; newest activity first; 10,000 at most. */
  conversations(): Conversation[] {
    return this.#store.read((store) => store.conversations.all());
  }

  /** Also one that only has a notification level. */
  conversation(peer: Peer): Conversation | null {
    return this.#store.read((store) => store.conversations.of(peer));
  }

  /** Up to `limit` messages of the conversation before that one (null: the newest), oldest first. */
  before(peer: Peer, id: number | null, limit: number): StoredMessage[] {
    return this.#store.read((store) => store.before(peer, id ?? Number.MAX_SAFE_INTEGER, limit));
  }

  /** Up to `limit` messages of the conversation after that one, oldest first. */
  after(peer: Peer, id: number, limit: number): StoredMessage[] {
    return this.#store.read((store) => store.after(peer, id, limit));
  }

  message(id: number): StoredMessage | null {
    return this.#store.read((store) => store.byId(id));
  }

  /** Everything of the conversation up to this message was read; never goes back. */
  read(peer: Peer, upTo: number): void {
    this.#store.write((store) => store.conversations.read(peer, upTo));
    this.onRead();
  }

  /** Another device has read up to that place in the inbox, or in the room's log; what is there comes perhaps later. */
  readElsewhere(peer: Peer, seq: number): void {
    if (peer.kind === 'room') {
      const readUpTo = Math.max(seq, this.#readAhead.get(peerKey(peer)) ?? 0);
      putLast(this.#readAhead, peerKey(peer), readUpTo, MAX_AHEAD);
    }
    this.#store.write((store) => store.places.heard(peer, seq));
  }

  /** What was read here and the other devices do not know; `seq` is -1 where there is no place to tell. */
  untold(limit: number): Untold[] {
    return this.#store.read((store) => store.places.untold(limit));
  }

  /** The other devices know of it. */
  told({ peer, id }: Untold): void {
    this.#store.write((store) => store.places.told(peer, id));
  }

  /** The account is in these rooms, and in no others. */
  joinedAre(rooms: readonly string[]): void {
    for (const key of this.#readAhead.keys()) {
      // One that is made again counts from the start.
      if (!rooms.some((name) => peerKey(peerTo(name)) === key)) this.#readAhead.delete(key);
    }
    this.#store.write((store) => store.conversations.joinedAre(rooms));
  }

  /** Incoming messages with ids from one up to another, that one not included; 1,000 at most. */
  countIncoming(peer: Peer, from: number, to: number): number {
    return this.#store.read((store) => store.conversations.countIncoming(peer, from, to));
  }

  /** The id of the first incoming message behind that one, or null. */
  firstIncoming(peer: Peer, after: number): number | null {
    return this.#store.read((store) => store.conversations.firstIncoming(peer, after));
  }

  /** The newest highlighted messages of all conversations, read or not, newest first. */
  highlighted(limit: number): StoredMessage[] {
    return this.#store.read((store) => store.highlighted(limit));
  }

  /** Of conversations with the level `all`: the first 5 unread messages of each of the 50 that had some last. */
  unread(): StoredMessage[] {
    return this.#store.read((store) => store.conversations.unread());
  }

  /** How many messages the conversation has. */
  size(peer: Peer): number {
    return this.#store.read((store) => store.conversations.size(peer));
  }

  notify(peer: Peer, level: NotifyLevel): void {
    this.#store.write((store) => store.conversations.notify(peer, level));
  }

  /** What was typed and not sent; it makes a conversation where there is none. */
  draft(peer: Peer, text: string): void {
    this.#store.write((store) => store.conversations.draft(peer, text));
  }

  /**
   * Takes the conversation out of the history up to a message, except what it still has to send: one step of it, durable
   * when this returns. What comes again because its acknowledgement was lost is new then. Its draft and its level of
   * notification stay.
   * @returns how many messages were removed; 0: it is done
   */
  forget(peer: Peer, upTo: number): number {
    const removed = this.#store.write((store) => store.forget(peer, upTo));
    this.commit();
    return removed;
  }

  /**
   * Looks for messages, newest first, a step at a time: it yields how many it has looked at and how many there are, and
   * returns the first `limit` of those it found. The history may change meanwhile.
   */
  *find(search: Search, limit: number): Generator<{ done: number; all: number }, Found<StoredMessage>> {
    const { oldest, newest } = this.#store.read((store) => store.span());
    const messages: StoredMessage[] = [];
    let count = 0;
    for (let to = newest; to >= oldest && to > 0; to -= FIND_AT_ONCE) {
      const from = Math.max(oldest, to - FIND_AT_ONCE + 1);
      const missing = limit - messages.length;
      if (missing > 0) messages.push(...this.#store.read((store) => store.found(search, from, to, missing)));
      count += this.#store.read((store) => store.countFound(search, from, to));
      yield { done: newest - from + 1, all: newest - oldest + 1 };
    }
    return { search, count, messages };
  }

  /** As `find`, in one go. */
  search(search: Search, limit: number): Found<StoredMessage> {
    for (const steps = this.find(search, limit); ; ) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** All messages of the conversation, oldest first; the history may change meanwhile. */
  *all(peer: Peer): IterableIterator<StoredMessage> {
    for (let id = 0; ; ) {
      const page = this.after(peer, id, PAGE);
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      id = last.id;
    }
  }

  /** Commits and ends; nothing may be asked afterwards. Idempotent. */
  close(): void {
    this.#store.close();
  }

  #insert(message: Omit<InsertedMessage, 'id'>): StoredMessage | null {
    let id: number | null = null;
    return this.#store.write((store) => {
      const inserted = store.insert({ ...message, id });
      // Done again in memory it is the same one: others know its id.
      id ??= inserted?.id ?? null;
      return inserted;
    });
  }
}

/** So that this is the account which is asked for first next time. */
function markUsed(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // Then it is another one.
  }
}
