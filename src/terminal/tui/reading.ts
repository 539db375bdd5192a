import type { History } from '../history/history.ts';
import type { Conversation, Peer } from '../history/types.ts';
import type { Sight, Timeline } from './timeline.ts';

/** Unread messages of the open conversation that are not in the window; 1,000 at most. */
export interface OutOfSight {
  readonly above: number;
  readonly below: number;
}

export const NOTHING_OUT_OF_SIGHT: OutOfSight = { above: 0, below: 0 };

/**
 * What of one conversation has been read, for as long as it is open: what was in the window while somebody was looking,
 * with nothing unread above it. And where the line stands above what is new.
 */
export class Reading {
  readonly #history: History;
  readonly #peer: Peer;
  readonly #timeline: Timeline;
  /** Unread messages at the last look; 0: what comes next is new, and the line moves. */
  #unread = 0;
  /** The message that the line stands above, and how many there are from it on. */
  #line = { id: 0, count: 0 };
  /** What was counted last, and for which state. */
  #counted: { readonly key: string; readonly outOfSight: OutOfSight } | undefined;

  /** Marks what is unread, and shows the first of it. @param height rows of the window */
  constructor(history: History, peer: Peer, timeline: Timeline, height: number) {
    this.#history = history;
    this.#peer = peer;
    this.#timeline = timeline;
    const conversation = history.conversation(peer);
    this.#mark(conversation);
    if (conversation?.firstUnread != null) timeline.readFrom(conversation.firstUnread, height);
  }

  /** Whether everything in the conversation is read, as far as the last look knows. */
  get isDone(): boolean {
    return this.#unread === 0;
  }

  /**
   * To be called before each frame.
   * @param isSeen somebody is looking at the window
   * @returns what is out of sight, and whether something has been read that was not before
   */
  look(height: number, isSeen: boolean): { readonly outOfSight: OutOfSight; readonly hasRead: boolean } {
    const before = this.#history.conversation(this.#peer);
    const firstUnread = before?.firstUnread ?? null;
    if (firstUnread === null) {
      this.#unread = 0;
      return { outOfSight: NOTHING_OUT_OF_SIGHT, hasRead: false };
    }
    const sight = this.#timeline.inSight(height);
    const hasRead = isSeen && sight !== null && sight.first <= firstUnread && sight.last >= firstUnread;
    if (hasRead) this.#history.read(this.#peer, sight.last);
    const now = hasRead ? this.#history.conversation(this.#peer) : before;
    this.#mark(now);
    return { outOfSight: this.#countOutOfSight(now, sight), hasRead };
  }

  /**
   * Shows the next unread messages: those below the window, or if there are none the first one.
   * @returns false if nothing is unread
   */
  next(height: number): boolean {
    const firstUnread = this.#history.conversation(this.#peer)?.firstUnread ?? null;
    if (firstUnread === null) return false;
    const sight = this.#timeline.inSight(height);
    const below =
      sight === null ? null : this.#history.firstIncoming(this.#peer, Math.max(sight.last, firstUnread - 1));
    const next = below ?? firstUnread;
    // In the middle of one that is longer than the window, or at its beginning.
    const isInside = sight !== null && sight.first === next && sight.last < next;
    if (isInside || !this.#timeline.readFrom(next, height)) this.#timeline.scroll(height - 1, height);
    return true;
  }

  /** Shows the first unread message, or if there is none the line above those that were; false without either. */
  first(height: number): boolean {
    const firstUnread = this.#history.conversation(this.#peer)?.firstUnread ?? null;
    if (firstUnread === null) return this.#timeline.toMark(height);
    this.#timeline.readFrom(firstUnread, height);
    return true;
  }

  /** All of it counts as read. */
  readAll(): void {
    this.#history.read(this.#peer, Number.MAX_SAFE_INTEGER);
  }

  /** The line goes with the first messages that come after all was read, and counts those that come after them. */
  #mark(conversation: Conversation | null): void {
    const { unread = 0, firstUnread = null } = conversation ?? {};
    const more = unread - this.#unread;
    if (firstUnread !== null && more > 0) {
      const { id, count } = this.#line;
      this.#line = this.#unread === 0 ? { id: firstUnread, count: unread } : { id, count: count + more };
      this.#timeline.markUnread(this.#line.id, this.#line.count);
    }
    this.#unread = unread;
  }

  #countOutOfSight(conversation: Conversation | null, sight: Sight | null): OutOfSight {
    const { unread = 0, firstUnread = null } = conversation ?? {};
    if (firstUnread === null) return NOTHING_OUT_OF_SIGHT;
    if (sight === null) return { above: unread, below: 0 };
    const { first, last } = sight;
    const key = `${unread} ${firstUnread} ${first} ${last}`;
    if (this.#counted?.key === key) return this.#counted.outOfSight;
    const isAbove = firstUnread < first;
    const outOfSight = {
      above: isAbove ? this.#history.countIncoming(this.#peer, firstUnread, first) : 0,
      below: this.#history.countIncoming(
        this.#peer,
        Math.max(firstUnread, last + 1),
        Number.MAX_SAFE_INTEGER,
      ),
    };
    this.#counted = { key, outOfSight };
    return outOfSight;
  }
}
