import type { History } from '../history/history.ts';
import { type Conversation, isSame, type Peer } from '../history/types.ts';

/** With more changes than this, all conversations are read again. */
const MAX_CHANGES = 64;

/**
 * The conversations of a history, newest activity first. Only what has changed is read again: somebody may have ten
 * thousand of them, and messages coming in.
 */
export class ConversationList {
  #conversations: readonly Conversation[] = [];
  #changes: Peer[] = [];
  #isStale = false;

  /** Something in this conversation has changed. */
  changed(peer: Peer): void {
    if (this.#isStale || this.#changes.some((other) => isSame(other, peer))) return;
    if (this.#changes.length < MAX_CHANGES) this.#changes.push(peer);
    else this.changedAll();
  }

  changedAll(): void {
    this.#isStale = true;
    this.#changes = [];
  }

  /** The conversations as they are now; the same array while nothing has changed. */
  read(history: History | null): readonly Conversation[] {
    if (this.#isStale) this.#conversations = history?.conversations() ?? [];
    for (const peer of this.#changes) this.#conversations = changedOne(this.#conversations, history, peer);
    this.#isStale = false;
    this.#changes = [];
    return this.#conversations;
  }
}

function changedOne(all: readonly Conversation[], history: History | null, peer: Peer): Conversation[] {
  const others = all.filter((conversation) => !isSame(conversation.peer, peer));
  const now = history?.conversation(peer) ?? null;
  // One that has only a notification level is none.
  if (now === null || (now.lastId === 0 && now.draft === '')) return others;
  const place = others.findIndex((other) => isBefore(now, other));
  return others.toSpliced(place < 0 ? others.length : place, 0, now);
}

function isBefore(one: Conversation, other: Conversation): boolean {
  if (one.activity !== other.activity) return one.activity > other.activity;
  // One of them has nothing but a draft, or both: made after the message that was the newest then.
  return one.lastId === other.lastId ? one.lastAt > other.lastAt : one.lastId < other.lastId;
}
